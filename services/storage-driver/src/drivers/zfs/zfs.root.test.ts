import {
  expectSound,
  makeFiles,
  SnapshotsClient,
  type TestedService,
  withTree,
} from '@teu/snapshot-conformance';
import {
  loopFilesystem,
  requires,
  takeZfsTurn,
  tempDir,
  waitFor,
  zfsPool,
  type ZfsPool,
} from '@teu/testing';
import { closeSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startZfs, zfsPlace, type ZfsPlace } from './testing/zfs-place.js';

const TIMEOUT = { timeout: 120_000 };
const MEGABYTE = 1 << 20;

describe.runIf(requires('root', 'fuse', 'zfs-fuse', 'ext4', 'loop', 'mkfs.ext4', 'python3'))(
  'zfs',
  () => {
    let giveTurnBack: (() => void) | undefined;
    beforeAll(async () => {
      giveTurnBack = await takeZfsTurn();
    });
    afterAll(() => giveTurnBack?.());

    let cleanUps = new AsyncDisposableStack();
    afterEach(async () => {
      // All of them, also if one fails: the next test waits for the pool.
      const made = cleanUps;
      cleanUps = new AsyncDisposableStack();
      await made.disposeAsync();
    });

    async function makePool(bytes: number, directory?: string): Promise<ZfsPool> {
      const pool = await zfsPool({ bytes, ...(directory !== undefined && { directory }) });
      cleanUps.defer(async () => pool.remove());
      return pool;
    }

    async function makePlace(pool: ZfsPool, disk?: string): Promise<ZfsPlace> {
      const place = await zfsPlace(pool, disk);
      cleanUps.defer(async () => place.remove());
      return place;
    }

    async function start(
      place: ZfsPlace,
    ): Promise<{ service: TestedService; snapshots: SnapshotsClient }> {
      const service = await startZfs(place, {});
      cleanUps.defer(async () => service.stop());
      return { service, snapshots: new SnapshotsClient(service.channel, '') };
    }

    const namesIn = async (pool: ZfsPool, place: ZfsPlace): Promise<string[]> => {
      const list = await pool.zfs('list', '-H', '-o', 'name', '-r', `${place.dataset}/teu`);
      return list.trim().split('\n').slice(1);
    };

    it('has all that it acknowledged after a power cut', TIMEOUT, async () => {
      const disk = await loopFilesystem(256 * MEGABYTE);
      cleanUps.defer(async () => disk.remove());
      const pool = await makePool(128 * MEGABYTE, disk.path);
      const place = await makePlace(pool, disk.path);
      const { service, snapshots } = await start(place);
      await makeFiles(snapshots, 'base');
      await makeFiles(snapshots, 'top', 'base');
      const keys = Array.from({ length: 10 }, (_, index) => `container/${index}`);
      for (const key of keys) await snapshots.prepare(key, 'top');
      await snapshots.remove('container/0');
      await makeFiles(snapshots, 'apart');
      await disk.cutPower();
      service.kill('SIGKILL');
      await service.exited;
      await pool.kill();
      await waitFor(() => disk.restart().then(() => true));
      await pool.restart();

      const again = await start(place);
      const listed = await expectSound(again.service.channel);
      const names = listed.map(({ name }) => name).sort();
      expect(names).toEqual(['apart', 'base', 'top', ...keys.slice(1)].sort());
      expect(await namesIn(pool, place)).toHaveLength(names.length);
    });

    it('goes on when zfs-fuse died and came back', TIMEOUT, async () => {
      const pool = await makePool(128 * MEGABYTE);
      const place = await makePlace(pool);
      const { service, snapshots } = await start(place);
      await makeFiles(snapshots, 'base');
      await snapshots.prepare('a', 'base');
      await pool.kill();
      await expect(snapshots.prepare('b', 'base')).rejects.toMatchObject({
        reason: 'STORAGE_FAILED',
      });
      await snapshots.stat('a');
      await pool.restart();
      await withTree(await snapshots.mounts('a'), (root) => {
        expect(readFileSync(join(root, 'base 0'), 'utf8')).toContain('base 0');
      });
      await snapshots.prepare('b', 'base');
      await expectSound(service.channel);
    });

    it('says when the pool is full, and can still remove', TIMEOUT, async () => {
      const pool = await makePool(64 * MEGABYTE);
      const place = await makePlace(pool);
      const { service, snapshots } = await start(place);
      await makeFiles(snapshots, 'base');
      await withTree(await snapshots.prepare('big', 'base'), (root) => fill(join(root, 'big')));
      const made: string[] = [];
      const makeMany = async (): Promise<void> => {
        for (let index = 0; index < 500; index += 1) {
          await snapshots.prepare(`c${index}`, 'base');
          made.push(`c${index}`);
        }
      };
      await expect(makeMany()).rejects.toMatchObject({ reason: 'STORAGE_FULL' });
      await expect(snapshots.stat(`c${made.length}`)).rejects.toMatchObject({
        status: 'NOT_FOUND',
      });
      for (const key of [...made, 'big']) await snapshots.remove(key);
      await snapshots.cleanup();
      await snapshots.prepare('after', 'base');
      await expectSound(service.channel);
    });

    it('removes around what is in use, and that when it is not', TIMEOUT, async () => {
      const pool = await makePool(128 * MEGABYTE);
      const place = await makePlace(pool);
      const { service, snapshots } = await start(place);
      await makeFiles(snapshots, 'base');
      const [mount] = await snapshots.prepare('busy', 'base');
      await snapshots.prepare('idle', 'base');
      const path = join(mount?.source ?? '', 'open');
      const file = openSync(path, 'w');
      try {
        // The file stays open until all of this is done: an answer is the proof that nobody waits.
        await snapshots.remove('busy');
        await snapshots.remove('idle');
        expect((await snapshots.list()).map(({ name }) => name)).toEqual(['base']);
        // Whoever has it open can go on.
        writeFileSync(file, 'still here');
        await waitFor(async () => (await namesIn(pool, place)).length === 2);
        await expect(snapshots.cleanup()).rejects.toMatchObject({ reason: 'CONFLICT' });
      } finally {
        closeSync(file);
      }
      // Without anybody asking for it.
      await waitFor(async () => (await namesIn(pool, place)).length === 1);
      await expectSound(service.channel);
    });

    it('leaves what others have put beside its datasets', TIMEOUT, async () => {
      const pool = await makePool(128 * MEGABYTE);
      const place = await makePlace(pool);
      const first = await start(place);
      await first.service.stop();
      await pool.zfs('create', '-o', 'canmount=noauto', `${place.dataset}/teu/Mine`);
      await pool.zfs('create', '-o', 'canmount=noauto', `${place.dataset}/teu/7`);
      const { snapshots } = await start(place);
      await snapshots.cleanup();
      expect(await namesIn(pool, place)).toEqual([`${place.dataset}/teu/Mine`]);
    });

    it('refuses a dataset that another driver has', TIMEOUT, async () => {
      const pool = await makePool(128 * MEGABYTE);
      const place = await makePlace(pool);
      await start(place);
      using elsewhere = tempDir();
      const other = { ...place, dataDir: join(elsewhere.path, 'd'), runDir: elsewhere.path };
      await expect(startZfs(other, {})).rejects.toThrow('belongs to a driver at');
      expect(readdirSync(join(elsewhere.path, 'd/zfs/m'))).toEqual([]);
    });
  },
);

/** Writes until nothing fits any more. */
function fill(path: string): void {
  for (let size = MEGABYTE; size >= 4096; size /= 2) {
    try {
      for (let index = 0; ; index += 1)
        writeFileSync(`${path} ${size} ${index}`, Buffer.alloc(size, index + 1));
    } catch (error) {
      expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC');
    }
  }
}
