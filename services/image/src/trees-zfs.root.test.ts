import { requires, takeZfsTurn, zfsPool } from '@teu/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startImageStand, type ImageStand } from './testing/image-stand.js';
import { archiveTar, dockerFiles } from './testing/make-image.js';
import { makeTar } from './testing/make-tar.js';
import { compare, prepareSnapshot, transplant } from './testing/tree-calls.js';

const TURN_MS = 300_000;
const OLD = [makeTar({ name: 'lib', data: 'flawed' }, { name: 'gone', data: '1' })];
const NEW = [makeTar({ name: 'lib', data: 'mended' }, { name: 'gone', data: '1' })];

// The one file system here that keeps times to the second, and whose trees are seen by way of FUSE.
describe.runIf(requires('root', 'fuse', 'zfs-fuse'))('trees in the driver zfs', () => {
  const cleanUps = new AsyncDisposableStack();
  let stand: ImageStand;

  beforeAll(async () => {
    cleanUps.defer(await takeZfsTurn());
    const pool = await zfsPool();
    cleanUps.defer(() => pool.remove());
    const dataset = `${pool.name}/trees`;
    await pool.zfs('create', '-o', 'mountpoint=none', dataset);
    const driverEnv = { TEU_STORAGE_ZFS_DATASET: dataset };
    stand = await startImageStand({ driver: 'zfs', driverEnv });
    cleanUps.defer(() => stand.stop());
  }, TURN_MS);

  afterAll(() => cleanUps.disposeAsync(), TURN_MS);

  const top = async (name: string, layers: Buffer[]): Promise<string> => {
    const path = stand.file(name, archiveTar(dockerFiles({ layers })));
    await stand.load({ path, reference: name });
    return (await stand.prepare(name)).snapshot;
  };

  it('are compared, and carried over to another base', { timeout: TURN_MS }, async () => {
    const [oldTop, newTop] = [await top('old', OLD), await top('new', NEW)];
    expect((await compare(stand, oldTop, newTop)).changes).toEqual(['content /lib']);
    await prepareSnapshot(stand, 'box', oldTop);
    await stand.runIn('box', 'rm gone; mkdir own; echo 1 > own/file; ln own/file own/other');
    const own = ['removed /gone', 'added /own', 'added /own/file', 'added /own/other'];
    expect((await compare(stand, oldTop, 'box')).changes).toEqual(own);
    const before = await stand.snapshots();
    const request = { key: 'box', parent: oldTop, targetKey: 'box-2', targetParent: newTop };
    expect(await transplant(stand, request)).toBe(4);
    expect((await compare(stand, newTop, 'box-2')).changes).toEqual(own);
    expect(await stand.runIn('box-2', 'cat lib own/other; stat -c %h own/file')).toBe(
      'mended1\n2\n',
    );
    expect(await stand.snapshots()).toEqual([...before, 'box-2'].sort());
  });
});
