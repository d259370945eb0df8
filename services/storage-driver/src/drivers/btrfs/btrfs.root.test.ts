import { DriverServiceService } from '@teu/proto/storage';
import { requires, runProgram, waitFor } from '@teu/testing';
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BtrfsFixture, MEGABYTE } from './testing/btrfs-fixture.js';

const TIMEOUT = { timeout: 120_000 };

describe.runIf(requires('root', 'btrfs', 'loop', 'mkfs.btrfs', 'python3'))('btrfs', () => {
  let btrfs: BtrfsFixture;
  beforeEach(async () => {
    btrfs = await BtrfsFixture.make();
  });
  afterEach(() => btrfs.remove());

  it('has all that it acknowledged after a power cut, and nothing else', TIMEOUT, async () => {
    await btrfs.makeLayer('base');
    await btrfs.makeLayer('top', 'base');
    const keys = Array.from({ length: 20 }, (_, index) => `container/${index}`);
    for (const key of keys) await btrfs.snapshots.prepare(key, 'top');
    await btrfs.snapshots.remove('container/0');
    await btrfs.snapshots.prepare('empty');
    await btrfs.makeLayer('apart');
    await btrfs.snapshots.prepare('late', 'apart', {
      'containerd.io/snapshot/max-size': '8388608',
    });
    // Its name is not on the disk for certain, but what it holds is.
    await btrfs.withMounted(await btrfs.snapshots.prepare('last', 'apart'), (root) => {
      const file = openSync(join(root, 'synced'), 'w');
      writeSync(file, 'by the container');
      fsyncSync(file);
      closeSync(file);
    });
    await btrfs.disk.cutPower();
    await btrfs.kill();
    await btrfs.disk.restart();

    await btrfs.start();
    await btrfs.expectWhole('top', ['base', 'top']);
    await btrfs.expectWhole('apart', ['apart']);
    const listed = (await btrfs.snapshots.list()).map(({ name }) => name).sort();
    expect(listed).toEqual(
      ['apart', 'base', 'empty', 'last', 'late', 'top', ...keys.slice(1)].sort(),
    );
    await btrfs.withMounted(await btrfs.snapshots.mounts('last'), (root) => {
      expect(readFileSync(join(root, 'synced'), 'utf8')).toBe('by the container');
    });
    const { getQuota } = DriverServiceService;
    const { limitBytes } = await btrfs.service.channel.unary(getQuota, { key: 'late' });
    expect(limitBytes).toBe(8 * MEGABYTE);
    await btrfs.snapshots.cleanup();
    expect(btrfs.folder('l')).toHaveLength(listed.length);
    expect(btrfs.folder('removing')).toEqual([]);
    const { stderr } = await runProgram('btrfs', ['device', 'stats', '--check', btrfs.disk.path]);
    expect(stderr).toBe('');
  });

  it('goes on when its program is killed, and fails what was in flight', TIMEOUT, async () => {
    await btrfs.makeLayer('base');
    const [pid = 0] = btrfs.programs();
    process.kill(pid, 'SIGSTOP');
    const waiting = expect(btrfs.snapshots.prepare('a', 'base')).rejects.toMatchObject({
      reason: 'STORAGE_FAILED',
      message: expect.stringContaining('SIGKILL') as string,
    });
    // The request is in the pipe when the next call has been answered.
    await btrfs.snapshots.stat('base');
    process.kill(pid, 'SIGKILL');
    await waiting;
    await btrfs.snapshots.prepare('a', 'base');
    await btrfs.expectWhole('base', ['base']);
    expect(btrfs.programs()).not.toContain(pid);
  });

  it('ends its program with itself, also when it is killed', TIMEOUT, async () => {
    await btrfs.kill();
    await btrfs.start();
    expect(btrfs.programs()).toHaveLength(1);
    await btrfs.service.stop();
    expect(btrfs.programs()).toEqual([]);
  });

  it('removes subvolumes that a container made, also read-only ones', TIMEOUT, async () => {
    await btrfs.makeLayer('base');
    await btrfs.withMounted(await btrfs.snapshots.prepare('a', 'base'), async (root) => {
      const make = async (...args: string[]): Promise<void> => {
        const { code, stderr } = await runProgram('btrfs', args);
        expect(stderr).toBe('');
        expect(code).toBe(0);
      };
      await make('subvolume', 'create', join(root, 'one'));
      await make('subvolume', 'create', join(root, 'one/two'));
      mkdirSync(join(root, 'one/deep'));
      await make('subvolume', 'snapshot', join(root, 'one/two'), join(root, 'one/deep/three'));
      writeFileSync(join(root, 'one/deep/three/file'), Buffer.alloc(8 * MEGABYTE, 1));
      await make('property', 'set', '-ts', join(root, 'one'), 'ro', 'true');
    });
    expect((await btrfs.snapshots.usage('a')).size).toBeGreaterThan(8 * MEGABYTE);
    const before = btrfs.availableBytes();
    await btrfs.snapshots.remove('a');
    await btrfs.snapshots.cleanup();
    expect(btrfs.folder('removing')).toEqual([]);
    expect(btrfs.availableBytes() - before).toBeGreaterThan(7 * MEGABYTE);
    const { stdout } = await runProgram('btrfs', ['subvolume', 'list', btrfs.disk.path]);
    expect(stdout.trim().split('\n')).toHaveLength(1);
  });

  it('is not held up by a removed snapshot that somebody has open', TIMEOUT, async () => {
    const before = btrfs.availableBytes();
    await btrfs.withMounted(await btrfs.snapshots.prepare('a'), async (root) => {
      writeFileSync(join(root, 'file'), Buffer.alloc(16 * MEGABYTE, 1));
      const held = openSync(join(root, 'file'), 'r');
      await btrfs.snapshots.remove('a');
      const start = performance.now();
      await btrfs.snapshots.cleanup();
      expect(performance.now() - start).toBeLessThan(20_000);
      expect(btrfs.folder('removing')).toEqual([]);
      closeSync(held);
    });
    const isFreed = async (): Promise<boolean> => {
      await btrfs.snapshots.cleanup();
      return btrfs.availableBytes() > before - MEGABYTE;
    };
    await waitFor(isFreed, { timeoutMs: 20_000 });
  });

  it(
    'removes what is half made or no subvolume, and tells of a layer that is gone',
    TIMEOUT,
    async () => {
      await btrfs.makeLayer('base');
      await btrfs.makeLayer('lost');
      await btrfs.service.stop();
      const root = join(btrfs.service.dataDir, 'btrfs');
      mkdirSync(join(root, 'l/zz/deep'), { recursive: true });
      writeFileSync(join(root, 'l/yy'), 'x');
      await runProgram('btrfs', ['subvolume', 'create', join(root, 'l/xx')]);
      await runProgram('btrfs', ['subvolume', 'delete', join(root, 'l/2')]);
      mkdirSync(join(root, 'l/2'));
      await btrfs.start();
      await btrfs.snapshots.cleanup();
      expect(btrfs.folder('removing')).toEqual([]);
      expect(btrfs.folder('l').filter((name) => name !== '2')).toEqual(['1']);
      await expect(btrfs.snapshots.prepare('a', 'lost')).rejects.toMatchObject({
        status: 'DATA_LOSS',
      });
      await btrfs.snapshots.prepare('a', 'base');
    },
  );

  describe('limits', () => {
    const { getQuota, setQuota } = DriverServiceService;
    const limit = (key: string, limitBytes: number): Promise<unknown> =>
      btrfs.service.channel.unary(setQuota, { key, limitBytes });

    it('does not account before somebody wants a limit', TIMEOUT, async () => {
      await btrfs.makeLayer('base');
      await btrfs.snapshots.prepare('a', 'base');
      expect(await btrfs.service.channel.unary(getQuota, { key: 'a' })).toMatchObject({
        limitBytes: 0,
      });
      await limit('a', 0);
      expect(btrfs.qgroups()).toEqual([]);
    });

    it.each(['simple', 'full'])('hold with %s accounting', TIMEOUT, async (accounting) => {
      if (accounting === 'full') await runProgram('btrfs', ['quota', 'enable', btrfs.disk.path]);
      await btrfs.makeLayer('base');
      const mounts = await btrfs.snapshots.prepare('a', 'base');
      await limit('a', 8 * MEGABYTE);
      const written = await btrfs.withMounted(mounts, (root) => fill(join(root, 'big'), EDQUOT));
      expect(written).toBeGreaterThan(6 * MEGABYTE);
      expect(written).toBeLessThanOrEqual(8 * MEGABYTE);
      await btrfs.snapshots.prepare('b', 'base');

      await btrfs.service.stop();
      await btrfs.start();
      const told = await btrfs.service.channel.unary(getQuota, { key: 'a' });
      expect(told.limitBytes).toBe(8 * MEGABYTE);
      expect(told.usedBytes).toBeGreaterThan(6 * MEGABYTE);
      expect(told.usedBytes).toBeLessThanOrEqual(8 * MEGABYTE);
      await limit('a', 24 * MEGABYTE);
      await btrfs.withMounted(await btrfs.snapshots.mounts('a'), (root) => {
        writeFileSync(join(root, 'more'), Buffer.alloc(8 * MEGABYTE));
        expect(fill(join(root, 'most'), EDQUOT)).toBeLessThanOrEqual(8 * MEGABYTE + written);
      });
      await btrfs.snapshots.remove('a');
      await btrfs.snapshots.remove('b');
      await btrfs.snapshots.cleanup();
      // The top level, and the only layer that is left.
      await waitFor(() => btrfs.qgroups().length === 2, { timeoutMs: 10_000 });
    });

    it('holds for subvolumes that the container makes inside', TIMEOUT, async () => {
      const mounts = await btrfs.snapshots.prepare('a');
      await limit('a', 8 * MEGABYTE);
      await btrfs.withMounted(mounts, async (root) => {
        await runProgram('btrfs', ['subvolume', 'create', join(root, 'inside')]);
        expect(fill(join(root, 'inside/big'), EDQUOT)).toBeLessThanOrEqual(8 * MEGABYTE);
      });
    });
  });

  describe('a full disk', () => {
    it('is told, and removing makes room again', TIMEOUT, async () => {
      await btrfs.makeLayer('base');
      await btrfs.withMounted(await btrfs.snapshots.prepare('big', 'base'), (root) => {
        // Whole extents first, then what fits into metadata.
        for (let index = 0; index < 2; index += 1) fill(join(root, `big ${index}`), ENOSPC);
        fillWithSmallFiles(root);
      });
      const made: string[] = [];
      const makeMany = async (): Promise<void> => {
        for (let index = 0; index < 5000; index += 1) {
          await btrfs.snapshots.prepare(`c${index}`, 'base', { padding: 'x'.repeat(4000) });
          made.push(`c${index}`);
        }
      };
      await expect(makeMany()).rejects.toMatchObject({ reason: 'STORAGE_FULL' });
      await expect(btrfs.snapshots.stat(`c${made.length}`)).rejects.toMatchObject({
        status: 'NOT_FOUND',
      });
      for (const key of made) await btrfs.snapshots.remove(key);
      await btrfs.snapshots.remove('big');
      await btrfs.snapshots.cleanup();
      expect(btrfs.folder('removing')).toEqual([]);
      expect(btrfs.availableBytes()).toBeGreaterThan(256 * MEGABYTE);
      await btrfs.expectWhole('base', ['base']);
      await btrfs.snapshots.prepare('after', 'base');
    });
  });
});

/** Errors of Node have no name for EDQUOT, so numbers are compared (errno(3)). */
const ENOSPC = -28;
const EDQUOT = -122;

/** Writes to the disk until an error, which is checked. Returns the bytes that went through. */
function fill(path: string, expected: number): number {
  const descriptor = openSync(path, 'w');
  const block = Buffer.alloc(65_536, 1);
  let written = 0;
  try {
    for (;;) {
      written += writeSync(descriptor, block);
      if (written % MEGABYTE === 0) fsyncSync(descriptor);
    }
  } catch (error) {
    expect((error as NodeJS.ErrnoException).errno).toBe(expected);
    return written;
  } finally {
    closeSync(descriptor);
  }
}

function fillWithSmallFiles(root: string): void {
  mkdirSync(join(root, 'small'));
  try {
    for (let index = 0; ; index += 1) {
      writeFileSync(join(root, 'small', `${index}`), Buffer.alloc(2000, index));
    }
  } catch (error) {
    expect((error as NodeJS.ErrnoException).errno).toBe(ENOSPC);
  }
}
