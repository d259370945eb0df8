import { writeFile } from 'node:fs/promises';
import { ImageServiceService } from '@teu/proto/image';
import { SnapshotsService } from '@teu/proto/snapshots';
import { loopFilesystem, requires, runProgram, waitFor } from '@teu/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startImageStand, type ImageStand } from './testing/image-stand.js';
import { archiveTar, dockerFiles } from './testing/make-image.js';
import { makeTar } from './testing/make-tar.js';
import { compare, prepareSnapshot, transplant } from './testing/tree-calls.js';

const DISK_BYTES = 256 * 2 ** 20;
const TIMEOUT_MS = 60_000;
/** Of all members, in make-tar.ts. */
const TAR_TIME = 0o14000000000;

const OLD = [
  makeTar(
    { name: 'etc/', type: '5' },
    { name: 'etc/conf', data: 'old' },
    { name: 'etc/kept', data: 'kept' },
    { name: 'lib/', type: '5' },
    { name: 'lib/z', data: 'flawed' },
    { name: 'tmp/', type: '5' },
  ),
  makeTar(
    { name: 'cache/', type: '5' },
    { name: 'cache/one', data: '1' },
    { name: 'cache/two', data: '2' },
    { name: 'first', data: 'shared' },
    { name: 'second', type: '1', link: 'first' },
  ),
];
/** A library is mended, a file and a directory came, and something that containers remove has grown. */
const NEW = [
  ...OLD.slice(0, 1),
  makeTar(
    { name: 'lib/z', data: 'mended' },
    { name: 'etc/fresh', data: 'fresh' },
    { name: 'opt/', type: '5' },
    { name: 'opt/base', data: 'base' },
    { name: 'cache/', type: '5' },
    { name: 'cache/three', data: '3' },
    { name: 'first', data: 'shared' },
    { name: 'second', type: '1', link: 'first' },
  ),
];
/** What a container does to its tree. */
const WRITES = `
  echo own > etc/conf && rm -r cache && mkdir -p opt/own && echo mine > opt/own/file &&
  ln opt/own/file opt/own/other && chmod 600 etc/kept && ln -s /../../etc/shadow out &&
  mkfifo pipe && mknod null c 1 3 && chown 7:8 out -h && truncate -s 1G sparse && touch -d @7 opt/own/file &&
  python3 -c 'import os; os.setxattr("etc/conf", "user.colour", b"blue"); os.setxattr("lib", "trusted.own", b"1")'`;

const featuresOf = (driver: string) =>
  driver === 'btrfs'
    ? (['root', 'btrfs', 'loop', 'mkfs.btrfs', 'python3'] as const)
    : (['root', 'overlayfs', 'python3'] as const);

describe.each(['overlay2', 'vfs', 'btrfs'])(
  'trees in the driver %s',
  { timeout: TIMEOUT_MS },
  (driver) => {
    let cleanUps: AsyncDisposableStack;
    let stand: ImageStand;
    let oldTop: string;
    let newTop: string;

    const top = async (name: string, layers: Buffer[]): Promise<string> => {
      await stand.load({
        path: stand.file(name, archiveTar(dockerFiles({ layers }))),
        reference: name,
      });
      return (await stand.prepare(name)).snapshot;
    };

    beforeEach(async () => {
      requires(...featuresOf(driver));
      cleanUps = new AsyncDisposableStack();
      const disk = driver === 'btrfs' ? await loopFilesystem(DISK_BYTES, 'btrfs') : undefined;
      cleanUps.defer(() => disk?.remove());
      stand = await startImageStand({ driver, ...(disk ? { dataDir: `${disk.path}/d` } : {}) });
      cleanUps.defer(() => stand.stop());
      oldTop = await top('old', OLD);
      newTop = await top('new', NEW);
    });

    afterEach(() => cleanUps.disposeAsync());

    it('differ by name, in the order of bytes, and leave nothing in the driver', async () => {
      const before = await stand.snapshots();
      const { changes } = await compare(stand, oldTop, newTop);
      expect(changes).toEqual([
        'removed /cache/one',
        'added /cache/three',
        'removed /cache/two',
        'added /etc/fresh',
        'content /lib/z',
        'added /opt',
        'added /opt/base',
      ]);
      expect((await compare(stand, newTop, newTop)).changes).toEqual([]);
      expect((await compare(stand, '', oldTop)).changes).toContain('added /etc/conf');
      expect(await stand.snapshots()).toEqual(before);
    });

    it('tell what a container has written', async () => {
      await prepareSnapshot(stand, 'box', oldTop);
      await stand.runIn('box', WRITES);
      expect((await compare(stand, oldTop, 'box')).changes).toEqual([
        'removed /cache',
        'content /etc/conf',
        'attributes /etc/kept',
        'attributes /lib',
        'added /null',
        'added /opt',
        'added /opt/own',
        'added /opt/own/file',
        'added /opt/own/other',
        'added /out',
        'added /pipe',
        'added /sparse',
      ]);
    });

    it('of a container that runs are looked at without disturbing it', async () => {
      await prepareSnapshot(stand, 'box', oldTop);
      const release = `${stand.directory}/release`;
      await runProgram('mkfifo', [release]);
      const running = stand.runIn(
        'box',
        `echo 1 > before && cat '${release}' && echo 2 > after && ls`,
      );
      await waitFor(async () => {
        return (await compare(stand, oldTop, 'box')).changes.includes('added /before');
      });
      await writeFile(release, '');
      expect(await running).toMatch(/^after\nbefore\n/);
      expect((await compare(stand, oldTop, 'box')).changes).toEqual([
        'added /after',
        'added /before',
      ]);
    });

    it('are carried over to another base, with all that was written', async () => {
      await prepareSnapshot(stand, 'box', oldTop);
      await stand.runIn('box', WRITES);
      const before = await stand.snapshots();
      const labels = { 'teu.dev/owner': 'box' };
      const request = {
        ...{ key: 'box', parent: oldTop },
        ...{ targetKey: 'box-2', targetParent: newTop, targetLabels: labels },
      };
      expect(await transplant(stand, request)).toBe(12);
      expect(await stand.snapshots()).toEqual([...before, 'box-2'].sort());
      const info = await stand.driver.channel.unary(SnapshotsService.stat, {
        snapshotter: driver,
        key: 'box-2',
      });
      expect(info.info).toMatchObject({ parent: newTop, labels });
      expect(
        await stand.runIn('box-2', 'cat etc/conf lib/z etc/fresh opt/base opt/own/other'),
      ).toBe('own\nmendedfreshbasemine\n');
      expect(
        await stand.runIn('box-2', 'stat -c "%n %a %u:%g %h %Y" opt/own/file out etc/kept'),
      ).toBe(
        'opt/own/file 644 0:0 2 7\nout 777 7:8 1 ' +
          `${(await stand.runIn('box', 'stat -c %Y out')).trim()}\netc/kept 600 0:0 1 ${TAR_TIME}\n`,
      );
      expect(
        await stand.runIn('box-2', 'ls -d cache null pipe 2>&1; stat -c "%b %s" sparse'),
      ).toMatch(/cannot access 'cache'.*\nnull\npipe\n\d{1,2} 1073741824\n/);
      // The difference to its base is that of the one that it was made from.
      const ofSource = (await compare(stand, oldTop, 'box')).changes;
      const ofTarget = (await compare(stand, newTop, 'box-2')).changes;
      expect(ofTarget).toEqual(ofSource.filter((change) => change !== 'added /opt'));
      expect((await compare(stand, 'box', 'box-2')).changes).toEqual([
        'added /etc/fresh',
        'content /lib/z',
        'added /opt/base',
      ]);
    });

    it('are refused if the request does not fit what is there', async () => {
      await prepareSnapshot(stand, 'box', oldTop);
      const request = { key: 'box', parent: oldTop, targetKey: 'two', targetParent: newTop };
      const refusal = (change: object) => transplant(stand, { ...request, ...change });
      await expect(refusal({ key: 'none' })).rejects.toMatchObject({
        reason: 'SNAPSHOT_NOT_FOUND',
      });
      await expect(refusal({ key: oldTop })).rejects.toMatchObject({ reason: 'INVALID_STATE' });
      await expect(refusal({ parent: newTop })).rejects.toMatchObject({ reason: 'CONFLICT' });
      await expect(refusal({ targetParent: 'box' })).rejects.toMatchObject({
        reason: 'SNAPSHOT_NOT_COMMITTED',
        metadata: { field: 'target_parent' },
      });
      await expect(refusal({ targetKey: '' })).rejects.toMatchObject({
        reason: 'INVALID_ARGUMENT',
      });
      await expect(refusal({ targetKey: 'box' })).rejects.toMatchObject({
        reason: 'SNAPSHOT_EXISTS',
      });
      await expect(compare(stand, 'none', 'box')).rejects.toMatchObject({
        reason: 'SNAPSHOT_NOT_FOUND',
        metadata: { field: 'from' },
      });
      await expect(compare(stand, oldTop, '')).rejects.toMatchObject({
        reason: 'INVALID_ARGUMENT',
      });
      // Two that make the same one: the first wins.
      const both = await Promise.allSettled([
        transplant(stand, request),
        transplant(stand, request),
      ]);
      expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      expect(await stand.snapshots()).toContain('two');
    });

    it('of thousands of names come in messages of at most 1000, and a caller may go', async () => {
      await prepareSnapshot(stand, 'box', oldTop);
      await stand.runIn('box', 'mkdir many && cd many && seq 1 2500 | xargs touch');
      const before = await stand.snapshots();
      const { changes, messageCount } = await compare(stand, oldTop, 'box');
      expect([changes.length, messageCount]).toEqual([2501, 3]);
      const answers = stand.service.channel.serverStream(ImageServiceService.compareSnapshots, {
        ...{ driver: '', from: oldTop, to: 'box' },
      });
      for await (const answer of answers) {
        expect(answer.changes).toHaveLength(1000);
        break;
      }
      await expect.poll(() => stand.snapshots()).toEqual(before);
    });
  },
);
