import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ArchiveServiceService, ImageServiceService, LayerCompression } from '@teu/proto/image';
import { requires, runProgram, waitFor } from '@teu/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IMAGE_FAILPOINTS } from './failpoints.js';
import { save } from './testing/archive-calls.js';
import { startImageStand, type ImageStand } from './testing/image-stand.js';
import { archiveTar, dockerFiles } from './testing/make-image.js';
import { makeTar } from './testing/make-tar.js';
import { commit, downloadTree, exportTo } from './testing/produce-calls.js';
import { compare, prepareSnapshot } from './testing/tree-calls.js';

const LAYERS = [
  makeTar(
    { name: 'etc/', type: '5' },
    { name: 'etc/conf', data: 'old' },
    { name: 'etc/gone', data: 'gone' },
    { name: 'lib/', type: '5' },
    { name: 'lib/z', data: 'z' },
  ),
  makeTar({ name: 'first', data: 'shared' }, { name: 'second', type: '1', link: 'first' }),
];
const WRITES = `echo own > etc/conf && rm etc/gone && mkdir -p opt/own && echo mine > opt/own/file &&
  ln opt/own/file opt/own/other && chmod 600 lib/z && ln -s /nowhere out && mkfifo pipe && ln first third &&
  chown 7:8 out -h && truncate -s 40M sparse && touch -d '2001-02-03 04:05:06.789' opt/own/file && touch etc/hosts`;
const TIME = new Date('2024-05-06T07:08:09.123Z');
const TIMEOUT_MS = 60_000;

/** What a run of a program prints; it must succeed. */
async function run(program: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runProgram(program, args);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
  return stdout;
}

describe.each(['overlay2', 'vfs'])(
  'commits and exports on the driver %s',
  { timeout: TIMEOUT_MS },
  (driver) => {
    let stand: ImageStand;
    let parent: string;
    beforeAll(async () => {
      requires('root', 'overlayfs');
      stand = await startImageStand({ driver });
      const path = stand.file('app', archiveTar(dockerFiles({ layers: LAYERS })));
      await stand.load({ path, reference: 'app' });
      parent = (await stand.prepare('app')).snapshot;
      await prepareSnapshot(stand, 'box', parent);
      await stand.runIn('box', WRITES);
    }, TIMEOUT_MS);
    afterAll(() => stand.stop());

    it('makes an image that can be run at once, and is what was there', async () => {
      const image = await commit(stand, {
        ...{ key: 'box', image: 'app', reference: 'mine:1', author: 'me', comment: 'why' },
        ...{ createdBy: 'sh -c writes', changes: ['ENV A=b', 'CMD ["/bin/true"]'] },
        excludedPaths: ['/etc/hosts'],
      });
      expect(image).toMatchObject({
        references: ['mine:1'],
        config: { env: ['A=b'], cmd: ['/bin/true'] },
      });
      const snapshot = image.layers.at(-1)?.chainId ?? '';
      expect(await stand.snapshots()).toContain(snapshot);
      // The directory of what was left out, and a file that has got one more name, differ in their times alone.
      expect((await compare(stand, snapshot, 'box')).changes).toEqual(['added /etc/hosts']);
      expect((await stand.prepare('mine:1')).snapshot).toBe(snapshot);
      // Names that are one file, also one of the layers below, stay so.
      const facts = 'test first -ef third && test opt/own/file -ef opt/own/other && cat etc/conf';
      expect(await stand.look(snapshot, facts)).toBe(await stand.runIn('box', facts));
    });

    it('makes the same image of the same changes', async () => {
      const request = { key: 'box', image: 'app', createTime: TIME };
      const images = [await commit(stand, request), await commit(stand, request)];
      expect(images[1]).toEqual(images[0]);
      expect(images[0]?.createTime).toEqual(TIME);
      const packed = await commit(stand, {
        ...request,
        // An image is known by its config, which does not tell how its layers are packed.
        comment: 'other',
        compression: LayerCompression.LAYER_COMPRESSION_ZSTD,
      });
      expect(packed.layers.at(-1)).toMatchObject({ diffId: images[0]?.layers.at(-1)?.diffId });
      expect(packed.layers.at(-1)?.mediaType).toMatch(/zstd$/);
    });

    it('can be read by skopeo and umoci', async () => {
      await commit(stand, { key: 'box', image: 'app', reference: 'out:1', createTime: TIME });
      const [archive, layout] = [join(stand.directory, 'out.tar'), join(stand.directory, 'layout')];
      await save(stand, archive, ['out:1']);
      await run(
        'skopeo',
        '--insecure-policy',
        'copy',
        `docker-archive:${archive}`,
        `oci:${layout}:x`,
      );
      const bundle = join(stand.directory, 'bundle');
      await run('umoci', 'unpack', '--image', `${layout}:x`, bundle);
      const compared = await stand.runIn(
        'box',
        `diff -r --no-dereference --exclude=pipe . '${bundle}/rootfs' && stat -c '%a %u %g %y' lib/z opt/own/file out`,
      );
      expect(compared).toBe(
        await run(
          'sh',
          '-c',
          `cd '${bundle}/rootfs' && stat -c '%a %u %g %y' lib/z opt/own/file out`,
        ),
      );
    });

    it('exports the whole tree, the same to a file and to a client', async () => {
      const path = join(stand.directory, 'tree.tar');
      writeFileSync(path, 'what was there before');
      const result = await exportTo(stand, 'box', path);
      const bytes = readFileSync(path);
      const digest = createHash('sha256').update(bytes).digest('hex');
      expect(result).toEqual({ totalBytes: bytes.length, digest: `sha256:${digest}` });
      expect((await downloadTree(stand, 'box')).equals(bytes)).toBe(true);
      // Committed snapshots too.
      expect((await downloadTree(stand, parent)).length).toBeGreaterThan(1024);
      const listed = async (tar: string) =>
        (await run('tar', '--numeric-owner', '--full-time', '-tvf', tar))
          .split('\n')
          // What GNU tar links, and which of the names it takes for the first, follows from its order.
          .map((line) =>
            line
              .replace(/ +\d+ (?=\d{4}-)/, ' ')
              .replace(/ link to .*/, '')
              .replace(/^h/, '-'),
          )
          .sort();
      const other = join(stand.directory, 'gnu.tar');
      await stand.runIn('box', `tar --format=pax --numeric-owner --sort=name -cf '${other}' .`);
      const strip = (lines: string[]) => lines.map((line) => line.replace(' ./', ' '));
      expect(strip(await listed(path))).toEqual(strip(await listed(other)));
      await stand.service.channel.unary(ImageServiceService.removeImage, {
        reference: 'out:1',
        force: false,
      });
    });

    it.each([
      [{ key: 'none' }, 'SNAPSHOT_NOT_FOUND'],
      [{ image: 'other' }, 'INVALID_ARGUMENT'],
      [{ image: 'missing' }, 'IMAGE_NOT_FOUND'],
      [{ changes: ['RUN x'] }, 'INVALID_ARGUMENT'],
      [{ reference: 'Not A Name' }, 'INVALID_ID'],
      [{ excludedPaths: ['etc'] }, 'INVALID_ARGUMENT'],
      [{ excludedPaths: ['/a/../b'] }, 'INVALID_ARGUMENT'],
      [{ compression: 99 as LayerCompression }, 'INVALID_ARGUMENT'],
      [{ driver: 'none' }, 'DRIVER_NOT_FOUND'],
    ])('refuses %j', async (change, reason) => {
      const other = stand.file('other', archiveTar(dockerFiles({ layers: LAYERS.slice(0, 1) })));
      await stand.load({ path: other, reference: 'other' });
      const before = stand.stored();
      await expect(commit(stand, { key: 'box', image: 'app', ...change })).rejects.toMatchObject({
        reason,
      });
      expect(stand.stored()).toEqual(before);
    });

    it('refuses names that no layer can have, and leaves nothing', async () => {
      await prepareSnapshot(stand, 'odd', parent);
      await stand.runIn('odd', 'touch .wh.odd');
      const before = stand.stored();
      const failed = commit(stand, { key: 'odd', image: 'app' });
      await expect(failed).rejects.toMatchObject({ reason: 'INVALID_STATE' });
      expect(stand.stored()).toEqual(before);
    });

    it('lets go of a tree whose reader goes away', async () => {
      await prepareSnapshot(stand, 'large', parent);
      await stand.runIn('large', 'head -c 60000000 /dev/urandom > large');
      const method = ArchiveServiceService.downloadSnapshot;
      const answers = stand.service.channel.serverStream(method, { driver: '', key: 'large' });
      for await (const { data } of answers) {
        expect(data.length).toBeGreaterThan(0);
        break;
      }
      await waitFor(
        async () => !(await run('ps', '-eo', 'args')).includes(`${stand.dataDir}/image/cage`),
        { what: 'the end of teu-layer' },
      );
    });

    it('gives a root file system that is loaded what it is wanted to say', async () => {
      const path = stand.file('rootfs', LAYERS[0] ?? Buffer.alloc(0));
      const wishes = { changes: ['USER 7', 'ENTRYPOINT ["/x"]'], comment: 'imported' };
      const [image] = await stand.load({ path, reference: 'tree', ...wishes });
      expect(image?.config).toMatchObject({ user: '7', entrypoint: ['/x'], cmd: [] });
      const archive = stand.file('again', archiveTar(dockerFiles({ layers: LAYERS })));
      await expect(stand.load({ path: archive, reference: 'no', ...wishes })).rejects.toMatchObject(
        {
          reason: 'INVALID_ARGUMENT',
        },
      );
    });
  },
);

describe('kill -9 of a commit', { timeout: 2 * TIMEOUT_MS }, () => {
  let stand: ImageStand;
  beforeAll(async () => {
    requires('root', 'overlayfs');
    stand = await startImageStand();
    const path = stand.file('app', archiveTar(dockerFiles({ layers: LAYERS })));
    await stand.load({ path, reference: 'app' });
    await prepareSnapshot(stand, 'box', (await stand.prepare('app')).snapshot);
    await stand.runIn('box', WRITES);
  }, TIMEOUT_MS);
  afterAll(() => stand.stop());

  it.each(IMAGE_FAILPOINTS.filter((name) => name.startsWith('image.commit')))(
    'at %s',
    async (failpoint) => {
      const before = { ...stand.stored(), snapshots: await stand.snapshots() };
      stand.service.kill('SIGTERM');
      await stand.restart({ TEU_FAILPOINTS: `${failpoint}=kill` });
      const request = { key: 'box', image: 'app', reference: 'made', createTime: TIME };
      await expect(commit(stand, request)).rejects.toThrow();
      expect((await stand.service.exited).signal).toBe('SIGKILL');
      await stand.restart();
      const isThere = failpoint === 'image.commit.after-commit';
      const names = (await stand.list()).flatMap(({ references }) => references).sort();
      expect(names).toEqual(isThere ? ['app:latest', 'made:latest'] : ['app:latest']);
      if (isThere) await stand.remove('made');
      await waitFor(
        async () => {
          expect({ ...stand.stored(), snapshots: await stand.snapshots() }).toEqual(before);
          return true;
        },
        { what: 'recovery' },
      );
      await commit(stand, request);
      await stand.remove('made');
    },
  );
});
