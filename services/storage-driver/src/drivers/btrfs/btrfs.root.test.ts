import { DriverServiceService } from '@teu/proto/storage';
import { mountSnapshot, SnapshotsClient, unmountSnapshot } from '@teu/snapshot-conformance';
import {
  loopFilesystem,
  requires,
  runProgram,
  startService,
  tempDir,
  waitFor,
  type LoopFilesystem,
  type RunningTestService,
  type TempDir,
} from '@teu/testing';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statfsSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const MEGABYTE = 1 << 20;
const TIMEOUT = { timeout: 120_000 };
const FILES = 40;
const content = (name: string, index: number): string => `${name} ${index}\n`.repeat(1000);

describe.runIf(requires('root', 'btrfs', 'loop', 'mkfs.btrfs', 'python3'))('btrfs', () => {
  let disk: LoopFilesystem;
  let run: TempDir;
  let service: RunningTestService;
  let snapshots: SnapshotsClient;

  beforeEach(async () => {
    run = tempDir();
    disk = await loopFilesystem(512 * MEGABYTE, 'btrfs');
    await start();
  });
  afterEach(async () => {
    await service.stop();
    disk.remove();
    run.remove();
  });

  async function start(): Promise<void> {
    service = await startService('btrfs', { runDir: run.path, dataDir: join(disk.path, 'd') });
    snapshots = new SnapshotsClient(service.channel, 'btrfs');
  }

  async function kill(): Promise<void> {
    service.kill('SIGKILL');
    await service.exited;
    await waitFor(() => programsOf(service.dataDir).length === 0, { timeoutMs: 5000 });
  }

  async function withMounted<T>(
    mounts: Parameters<typeof mountSnapshot>[0],
    work: (root: string) => T | Promise<T>,
  ): Promise<T> {
    const root = join(run.path, 'm');
    await mountSnapshot(mounts, root);
    try {
      return await work(root);
    } finally {
      await unmountSnapshot(root);
    }
  }

  async function makeLayer(name: string, parent = ''): Promise<void> {
    await withMounted(await snapshots.prepare(`making ${name}`, parent), (root) => {
      for (let index = 0; index < FILES; index += 1) {
        writeFileSync(join(root, `${name} ${index}`), content(name, index));
      }
    });
    await snapshots.commit(name, `making ${name}`);
  }

  async function expectWhole(layer: string, names: readonly string[]): Promise<void> {
    await withMounted(await snapshots.view(`look at ${layer}`, layer), (root) => {
      expect(readdirSync(root)).toHaveLength(FILES * names.length);
      for (const name of names) {
        for (let index = 0; index < FILES; index += 1) {
          const text = readFileSync(join(root, `${name} ${index}`), 'utf8');
          expect(text).toBe(content(name, index));
        }
      }
    });
    await snapshots.remove(`look at ${layer}`);
  }

  const folder = (name: string): string[] => readdirSync(join(service.dataDir, 'btrfs', name));
  const available = (): number => statfsSync(disk.path).bavail * statfsSync(disk.path).bsize;
  const qgroups = (): string[] => {
    const found = readdirSync('/sys/fs/btrfs').find(
      (id) =>
        existsSync(`/sys/fs/btrfs/${id}/devices/${loopName(disk.path)}`) &&
        existsSync(`/sys/fs/btrfs/${id}/qgroups`),
    );
    const names = found === undefined ? [] : readdirSync(`/sys/fs/btrfs/${found}/qgroups`);
    return names.filter((name) => /^[0-9]+_[0-9]+$/.test(name));
  };

  it('has all that it acknowledged after a power cut, and nothing else', TIMEOUT, async () => {
    await makeLayer('base');
    await makeLayer('top', 'base');
    const keys = Array.from({ length: 20 }, (_, index) => `container/${index}`);
    for (const key of keys) await snapshots.prepare(key, 'top');
    await snapshots.remove('container/0');
    await snapshots.prepare('empty');
    await makeLayer('apart');
    await snapshots.prepare('late', 'apart', { 'containerd.io/snapshot/max-size': '8388608' });
    await disk.cutPower();
    await kill();
    await disk.restart();

    await start();
    await expectWhole('top', ['base', 'top']);
    await expectWhole('apart', ['apart']);
    const listed = (await snapshots.list()).map(({ name }) => name).sort();
    expect(listed).toEqual(['apart', 'base', 'empty', 'late', 'top', ...keys.slice(1)].sort());
    const { getQuota } = DriverServiceService;
    const { limitBytes } = await service.channel.unary(getQuota, { key: 'late' });
    expect(limitBytes).toBe(8 * MEGABYTE);
    await snapshots.cleanup();
    expect(folder('l')).toHaveLength(listed.length);
    expect(folder('removing')).toEqual([]);
    const { stderr } = await runProgram('btrfs', ['device', 'stats', '--check', disk.path]);
    expect(stderr).toBe('');
  });

  it('goes on when its program is killed, and fails what was in flight', TIMEOUT, async () => {
    await makeLayer('base');
    const [pid = 0] = programsOf(service.dataDir);
    process.kill(pid, 'SIGSTOP');
    const waiting = expect(snapshots.prepare('a', 'base')).rejects.toMatchObject({
      reason: 'STORAGE_FAILED',
      message: expect.stringContaining('SIGKILL') as string,
    });
    // The request is in the pipe when the next call has been answered.
    await snapshots.stat('base');
    process.kill(pid, 'SIGKILL');
    await waiting;
    await snapshots.prepare('a', 'base');
    await expectWhole('base', ['base']);
    expect(programsOf(service.dataDir)).not.toContain(pid);
  });

  it('ends its program with itself, also when it is killed', TIMEOUT, async () => {
    await kill();
    await start();
    expect(programsOf(service.dataDir)).toHaveLength(1);
    await service.stop();
    expect(programsOf(service.dataDir)).toEqual([]);
  });

  it('removes subvolumes that a container made, also read-only ones', TIMEOUT, async () => {
    await makeLayer('base');
    await withMounted(await snapshots.prepare('a', 'base'), async (root) => {
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
    expect((await snapshots.usage('a')).size).toBeGreaterThan(8 * MEGABYTE);
    const before = available();
    await snapshots.remove('a');
    await snapshots.cleanup();
    expect(folder('removing')).toEqual([]);
    expect(available() - before).toBeGreaterThan(7 * MEGABYTE);
    const { stdout } = await runProgram('btrfs', ['subvolume', 'list', disk.path]);
    expect(stdout.trim().split('\n')).toHaveLength(1);
  });

  it(
    'removes what is half made or no subvolume, and tells of a layer that is gone',
    TIMEOUT,
    async () => {
      await makeLayer('base');
      await makeLayer('lost');
      await service.stop();
      const root = join(service.dataDir, 'btrfs');
      mkdirSync(join(root, 'l/zz/deep'), { recursive: true });
      writeFileSync(join(root, 'l/yy'), 'x');
      await runProgram('btrfs', ['subvolume', 'create', join(root, 'l/xx')]);
      await runProgram('btrfs', ['subvolume', 'delete', join(root, 'l/2')]);
      mkdirSync(join(root, 'l/2'));
      await start();
      await snapshots.cleanup();
      expect(folder('removing')).toEqual([]);
      expect(folder('l').filter((name) => name !== '2')).toEqual(['1']);
      await expect(snapshots.prepare('a', 'lost')).rejects.toMatchObject({ status: 'DATA_LOSS' });
      await snapshots.prepare('a', 'base');
    },
  );

  describe('limits', () => {
    const { getQuota, setQuota } = DriverServiceService;
    const limit = (key: string, limitBytes: number): Promise<unknown> =>
      service.channel.unary(setQuota, { key, limitBytes });

    it('does not account before somebody wants a limit', TIMEOUT, async () => {
      await makeLayer('base');
      await snapshots.prepare('a', 'base');
      expect(await service.channel.unary(getQuota, { key: 'a' })).toMatchObject({ limitBytes: 0 });
      await limit('a', 0);
      expect(qgroups()).toEqual([]);
    });

    it.each(['simple', 'full'])('hold with %s accounting', TIMEOUT, async (accounting) => {
      if (accounting === 'full') await runProgram('btrfs', ['quota', 'enable', disk.path]);
      await makeLayer('base');
      const mounts = await snapshots.prepare('a', 'base');
      await limit('a', 8 * MEGABYTE);
      const written = await withMounted(mounts, (root) => fill(join(root, 'big'), EDQUOT));
      expect(written).toBeGreaterThan(6 * MEGABYTE);
      expect(written).toBeLessThanOrEqual(8 * MEGABYTE);
      await snapshots.prepare('b', 'base');

      await service.stop();
      await start();
      const told = await service.channel.unary(getQuota, { key: 'a' });
      expect(told.limitBytes).toBe(8 * MEGABYTE);
      expect(told.usedBytes).toBeGreaterThan(6 * MEGABYTE);
      expect(told.usedBytes).toBeLessThanOrEqual(8 * MEGABYTE);
      await limit('a', 24 * MEGABYTE);
      await withMounted(await snapshots.mounts('a'), (root) => {
        writeFileSync(join(root, 'more'), Buffer.alloc(8 * MEGABYTE));
        expect(fill(join(root, 'most'), EDQUOT)).toBeLessThanOrEqual(8 * MEGABYTE + written);
      });
      await snapshots.remove('a');
      await snapshots.remove('b');
      await snapshots.cleanup();
      // The top level, and the only layer that is left.
      await waitFor(() => qgroups().length === 2, { timeoutMs: 10_000 });
    });

    it('holds for subvolumes that the container makes inside', TIMEOUT, async () => {
      const mounts = await snapshots.prepare('a');
      await limit('a', 8 * MEGABYTE);
      await withMounted(mounts, async (root) => {
        await runProgram('btrfs', ['subvolume', 'create', join(root, 'inside')]);
        expect(fill(join(root, 'inside/big'), EDQUOT)).toBeLessThanOrEqual(8 * MEGABYTE);
      });
    });
  });

  describe('a full disk', () => {
    it('is told, and removing makes room again', TIMEOUT, async () => {
      await makeLayer('base');
      await withMounted(await snapshots.prepare('big', 'base'), (root) => {
        // Whole extents first, then what fits into metadata.
        for (let index = 0; index < 2; index += 1) fill(join(root, `big ${index}`), ENOSPC);
        fillWithSmallFiles(root);
      });
      const made: string[] = [];
      const makeMany = async (): Promise<void> => {
        for (let index = 0; index < 5000; index += 1) {
          await snapshots.prepare(`c${index}`, 'base', { padding: 'x'.repeat(4000) });
          made.push(`c${index}`);
        }
      };
      await expect(makeMany()).rejects.toMatchObject({ reason: 'STORAGE_FULL' });
      await expect(snapshots.stat(`c${made.length}`)).rejects.toMatchObject({
        status: 'NOT_FOUND',
      });
      for (const key of made) await snapshots.remove(key);
      await snapshots.remove('big');
      await snapshots.cleanup();
      expect(folder('removing')).toEqual([]);
      expect(available()).toBeGreaterThan(256 * MEGABYTE);
      await expectWhole('base', ['base']);
      await snapshots.prepare('after', 'base');
    });
  });
});

/** Ids of the running programs of a driver. */
function programsOf(dataDir: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .filter((name) => {
      try {
        const words = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0');
        return (words[0] ?? '').endsWith('/teu-btrfs') && words[1] === join(dataDir, 'btrfs');
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** Name of the loop device below a mount point. */
function loopName(mountPoint: string): string {
  const line = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .find((mount) => mount.split(' ')[1] === mountPoint);
  return line?.split(' ')[0]?.replace('/dev/', '') ?? '';
}

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
