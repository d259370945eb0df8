import { DriverServiceService } from '@teu/proto/storage';
import { requires } from '@teu/testing';
import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { DmFixture, MEBIBYTE } from './testing/dm-fixture.js';
import { loadThinPools, SMALL_POOL } from './testing/thin-pools.js';

loadThinPools();

const LIMIT = { 'containerd.io/snapshot/max-size': String(8 * MEBIBYTE) };

describe.runIf(requires('root', 'device_mapper', 'ext4', 'loop', 'mkfs.ext4'))(
  'devicemapper',
  () => {
    let dm: DmFixture;
    afterEach(async () => {
      await dm.remove();
      expect(dm.devices()).toEqual([]);
      expect(dm.loops()).toEqual([]);
    });

    it('leaves a pool in use alone when it ends, finds it again, and detaches it in the end', async () => {
      dm = await DmFixture.make();
      await dm.makeLayer('base', '', (root) => writeFileSync(join(root, 'low'), 'low'));
      await dm.withMounted(await dm.snapshots.prepare('a', 'base'), async (root) => {
        await dm.stop();
        writeFileSync(join(root, 'during'), 'x');
        expect(dm.devices()).toContain(dm.claim.pool);
        await dm.start();
        await dm.withMounted(
          await dm.snapshots.mounts('a'),
          (same) => expect(readFileSync(join(same, 'during'), 'utf8')).toBe('x'),
          'again',
        );
      });
      await dm.stop();
      expect(dm.devices()).toEqual([]);
      // As after a reboot, nothing is there but files.
      await dm.start();
      expect(dm.devices()).toEqual([dm.claim.pool]);
      await dm.withMounted(await dm.snapshots.mounts('a'), (root) => {
        expect(readFileSync(join(root, 'during'), 'utf8')).toBe('x');
        expect(readFileSync(join(root, 'low'), 'utf8')).toBe('low');
      });
      expect(dm.claim.generation).toBe(3);
    });

    it('commits what is mounted as it is at that moment, and not what is written later', async () => {
      dm = await DmFixture.make();
      await dm.withMounted(await dm.snapshots.prepare('a'), async (root) => {
        writeFileSync(join(root, 'before'), 'x'.repeat(MEBIBYTE));
        await dm.snapshots.commit('c', 'a');
        writeFileSync(join(root, 'after'), 'y');
        await dm.withMounted(
          await dm.snapshots.view('v', 'c'),
          (shown) => {
            expect(readFileSync(join(shown, 'before'))).toHaveLength(MEBIBYTE);
            expect(() => readFileSync(join(shown, 'after'))).toThrow('ENOENT');
          },
          'view',
        );
        expect((await dm.snapshots.usage('c')).size).toBeGreaterThanOrEqual(MEBIBYTE);
      });
      await dm.snapshots.remove('v');
      await dm.stop();
      // The volume that was written to is nobody's now.
      await dm.start();
      await dm.snapshots.cleanup();
      expect((await volumesOf(dm)).sort()).toEqual([0, 3]);
      await dm.withMounted(await dm.snapshots.prepare('b', 'c'), (root) => {
        expect(readFileSync(join(root, 'before'))).toHaveLength(MEBIBYTE);
      });
      const check = await dm.check(3);
      expect(check.code, check.stdout).toBe(0);
    });

    it('deletes what was removed while it was mounted when that ends', async () => {
      dm = await DmFixture.make();
      await dm.withMounted(await dm.snapshots.prepare('a'), async (root) => {
        const file = openSync(join(root, 'file'), 'w');
        await dm.snapshots.remove('a');
        await expect(dm.snapshots.cleanup()).rejects.toMatchObject({ reason: 'CONFLICT' });
        writeSync(file, 'still works');
        fsyncSync(file);
        closeSync(file);
        expect(await volumesOf(dm)).toEqual([0, 2]);
      });
      await dm.snapshots.cleanup();
      expect(await volumesOf(dm)).toEqual([0]);
      expect(dm.devices()).toEqual([dm.claim.pool]);
    });

    describe('limits', () => {
      const limits = async (key: string): Promise<{ limitBytes: number; usedBytes: number }> =>
        await dm.channel.unary(DriverServiceService.getQuota, { key });

      it('hold after a restart and a new mount, and can be raised beyond the usual size', async () => {
        dm = await DmFixture.make();
        await dm.makeLayer('base', '', (root) => fill(join(root, 'low'), 24));
        await dm.snapshots.prepare('a', 'base', LIMIT);
        await dm.stop();
        await dm.start();
        await dm.withMounted(await dm.snapshots.mounts('a'), (root) => {
          const written = fill(join(root, 'big'), 64);
          expect(written).toBeGreaterThan(7);
          expect(written).toBeLessThanOrEqual(8);
        });
        const told = await limits('a');
        expect(told.limitBytes).toBe(8 * MEBIBYTE);
        expect(told.usedBytes).toBeGreaterThan(7 * MEBIBYTE);
        expect(told.usedBytes).toBeLessThanOrEqual(8 * MEBIBYTE);
        const limitBytes = 640 * MEBIBYTE;
        await dm.channel.unary(DriverServiceService.setQuota, { key: 'a', limitBytes });
        await dm.withMounted(await dm.snapshots.mounts('a'), (root) => {
          expect(fill(join(root, 'more'), 600)).toBe(600);
        });
        await dm.snapshots.remove('a');
      });

      it('hold on xfs', async () => {
        dm = await DmFixture.make([...SMALL_POOL, '--dm-filesystem', 'xfs']);
        await dm.makeLayer('base', '', (root) => fill(join(root, 'low'), 24));
        const mounts = await dm.snapshots.prepare('a', 'base', LIMIT);
        await dm.withMounted(mounts, async (root) => {
          const written = fill(join(root, 'big'), 64);
          expect(written).toBeGreaterThan(6);
          expect(written).toBeLessThanOrEqual(8);
          const limitBytes = 600 * MEBIBYTE;
          await dm.channel.unary(DriverServiceService.setQuota, { key: 'a', limitBytes });
          expect(fill(join(root, 'more'), 560)).toBe(560);
          rmSync(join(root, 'more'));
          // One file system, two volumes of it.
          await dm.withMounted(
            await dm.snapshots.view('v', 'base'),
            (shown) => expect(readFileSync(join(shown, 'low'))).toHaveLength(24 * MEBIBYTE),
            'view',
          );
        });
        const { size, inodes } = await dm.snapshots.usage('a');
        expect(size).toBeGreaterThan(6 * MEBIBYTE);
        expect(inodes).toBe(1);
      });
    });

    describe('a full pool', () => {
      it('is told in time, harms no file system, and is of use again after a removal', async () => {
        // With base and metadata of the file systems, some 100 MiB are left.
        const sizes = ['--dm-base-size', '512MiB', '--dm-data-size', '128MiB'];
        dm = await DmFixture.make(sizes);
        await dm.makeLayer('base', '', (root) => fill(join(root, 'low'), 8));
        await dm.snapshots.prepare('small', 'base');
        await dm.withMounted(await dm.snapshots.prepare('big', 'base'), async (root) => {
          expect(fill(join(root, 'big'), 256)).toBeLessThan(128);
          await expect(dm.snapshots.prepare('late', 'base')).rejects.toMatchObject({
            reason: 'STORAGE_FULL',
          });
          await dm.withMounted(
            await dm.snapshots.mounts('small'),
            (other) =>
              expect(() => writeDurably(join(other, 'file'), 2)).toThrow(/ENOSPC|EIO|EROFS/),
            'small',
          );
        });
        await dm.snapshots.remove('big');
        await dm.snapshots.cleanup();
        const { availableBytes } = await dm.channel.unary(DriverServiceService.getDiskUsage, {});
        expect(availableBytes).toBeGreaterThan(64 * MEBIBYTE);
        await dm.withMounted(await dm.snapshots.mounts('small'), (root) => {
          writeDurably(join(root, 'file'), 2);
          expect(readFileSync(join(root, 'low'))).toHaveLength(8 * MEBIBYTE);
        });
        await dm.snapshots.prepare('late', 'base');
        for (const volume of [2, 4]) {
          const { code, stdout } = await dm.check(volume);
          expect(code, stdout).toBe(0);
        }
      });
    });
  },
);

async function volumesOf(dm: DmFixture): Promise<number[]> {
  return await dm.withPool(async (pool) => (await pool.volumes()).map(({ volume }) => volume));
}

/** Writes so many mebibytes, or what fits. Returns how many were written. */
function fill(path: string, mebibytes: number): number {
  const file = openSync(path, 'w');
  const block = Buffer.alloc(MEBIBYTE, 1);
  let written = 0;
  try {
    while (written < mebibytes) {
      writeSync(file, block);
      fsyncSync(file);
      written += 1;
    }
  } catch (error) {
    expect((error as NodeJS.ErrnoException).code).toMatch(/ENOSPC|EIO|EROFS/);
  } finally {
    closeSync(file);
  }
  return written;
}

function writeDurably(path: string, mebibytes: number): void {
  const file = openSync(path, 'w');
  try {
    writeSync(file, Buffer.alloc(mebibytes * MEBIBYTE, 2));
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
