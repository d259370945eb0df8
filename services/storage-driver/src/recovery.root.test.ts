import { Kind, type Info } from '@teu/proto/snapshots';
import { DriverServiceService } from '@teu/proto/storage';
import { mountSnapshot, SnapshotsClient, unmountSnapshot } from '@teu/snapshot-conformance';
import {
  loopFilesystem,
  requires,
  startService,
  tempDir,
  type LoopFilesystem,
  type RunningTestService,
} from '@teu/testing';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { FAILPOINTS } from './failpoints.js';

const FILES = 40;
const content = (index: number): string => `${index}\n`.repeat(1000);

const client = (service: RunningTestService): SnapshotsClient =>
  new SnapshotsClient(service.channel, 'overlay2');

/** Mounts, works, unmounts, outside of what a power cut concerns. */
async function withMounted(
  mounts: Parameters<typeof mountSnapshot>[0],
  work: (root: string) => void,
): Promise<void> {
  using place = tempDir();
  const root = join(place.path, 'm');
  await mountSnapshot(mounts, root);
  try {
    work(root);
  } finally {
    await unmountSnapshot(root);
  }
}

async function makeLayer(snapshots: SnapshotsClient, name: string, parent = ''): Promise<void> {
  await withMounted(await snapshots.prepare(`making ${name}`, parent), (root) => {
    for (let index = 0; index < FILES; index += 1) {
      writeFileSync(join(root, `${name} ${index}`), content(index));
    }
  });
  await snapshots.commit(name, `making ${name}`);
}

/** What must hold after any crash: all that is listed works, and the disk holds nothing else. */
async function expectSound(snapshots: SnapshotsClient, root: string): Promise<Info[]> {
  const listed = await snapshots.list();
  for (const { name, kind } of listed) {
    if (kind !== Kind.COMMITTED) {
      await withMounted(await snapshots.mounts(name), (tree) => readdirSync(tree));
      continue;
    }
    await withMounted(await snapshots.view(`look at ${name}`, name), (tree) => {
      for (let index = 0; index < FILES; index += 1) {
        expect(readFileSync(join(tree, `${name} ${index}`), 'utf8')).toBe(content(index));
      }
    });
    await snapshots.remove(`look at ${name}`);
  }
  await snapshots.cleanup();
  const rows = listed.filter(({ kind, parent }) => kind !== Kind.VIEW || parent === '').length;
  expect(readdirSync(join(root, 'l'))).toHaveLength(rows);
  expect(readdirSync(join(root, 'w'))).toHaveLength(rows);
  expect(readdirSync(join(root, 'removing'))).toEqual([]);
  return listed;
}

describe.runIf(requires('root', 'overlayfs'))('overlay2 after a crash', () => {
  // Repairing has a test of its own.
  it.each(FAILPOINTS.filter((point) => !point.includes('restore')))('at %s', async (point) => {
    using directory = tempDir();
    const directories = { runDir: join(directory.path, 'r'), dataDir: join(directory.path, 'd') };
    const root = join(directories.dataDir, 'overlay2');
    const first = await startService('overlay2', directories);
    await makeLayer(client(first), 'base');
    await client(first).prepare('other', 'base');
    await makeLayer(client(first), 'removed');
    await client(first).remove('removed');
    await first.stop();
    if (point.startsWith('storage.recover')) {
      for (const kind of ['l', 'w']) rmSync(join(root, kind, '2'), { recursive: true });
    }

    const env = { TEU_FAILPOINTS: `${point}=kill` };
    const crashing = await startService('overlay2', { ...directories, env }).catch(() => undefined);
    if (crashing !== undefined) {
      const snapshots = client(crashing);
      const steps = async (): Promise<void> => {
        await snapshots.prepare('a', 'base');
        await snapshots.commit('top', 'a');
        await snapshots.remove('other');
      };
      const outcome = steps();
      // What goes on in the background may crash when all has been answered.
      if (/seal|discards/.test(point)) await outcome.catch(() => undefined);
      else await expect(outcome).rejects.toMatchObject({ status: 'UNAVAILABLE' });
      expect(await crashing.exited).toMatchObject({ signal: 'SIGKILL' });
    }

    const again = await startService('overlay2', directories);
    const snapshots = client(again);
    // "a" became "top" before the crash or not, and both are right; neither has files to look at.
    for (const name of ['top', 'a']) await snapshots.remove(name).catch(() => undefined);
    const listed = await expectSound(snapshots, root);
    expect(listed.map(({ name }) => name)).toContain('base');
    // Whoever got no answer asks again with the same key.
    await snapshots.prepare('a', 'base').catch(() => snapshots.mounts('a'));
    await again.stop();
  });

  it('removes what nobody knows, and tells of a layer that is gone', async () => {
    using directory = tempDir();
    const directories = { runDir: join(directory.path, 'r'), dataDir: join(directory.path, 'd') };
    const root = join(directories.dataDir, 'overlay2');
    const first = await startService('overlay2', directories);
    await makeLayer(client(first), 'base');
    await makeLayer(client(first), 'lost');
    await first.stop();
    mkdirSync(join(root, 'l/zz/deep'), { recursive: true });
    mkdirSync(join(root, 'w/zz'));
    rmSync(join(root, 'l/2'), { recursive: true });

    const again = await startService('overlay2', directories);
    await client(again).cleanup();
    expect(readdirSync(join(root, 'l'))).toEqual(['1']);
    expect(again.logs()).toContain('the files of a committed snapshot are missing');
    await expect(client(again).prepare('a', 'lost')).rejects.toMatchObject({ status: 'DATA_LOSS' });
    await client(again).remove('lost');
    await client(again).prepare('a', 'base');
    await again.stop();
  });
});

describe.runIf(requires('root', 'overlayfs', 'ext4', 'loop', 'mkfs.ext4', 'python3'))(
  'overlay2 on a disk that fails',
  () => {
    let disk: LoopFilesystem | undefined;
    afterEach(() => {
      disk?.remove();
      disk = undefined;
    });

    it('has all that it acknowledged after a power cut', { timeout: 60_000 }, async () => {
      disk = await loopFilesystem(64 << 20);
      using run = tempDir();
      const directories = { runDir: run.path, dataDir: join(disk.path, 'd') };
      const first = await startService('overlay2', directories);
      await makeLayer(client(first), 'base');
      await makeLayer(client(first), 'top', 'base');
      const keys = Array.from({ length: 30 }, (_, index) => `container/${index}`);
      for (const key of keys) await client(first).prepare(key, 'top');
      await client(first).remove('container/0');
      // Last, and without a parent: unmounting an overlay would have made everything durable.
      await makeLayer(client(first), 'apart');
      await disk.cutPower();
      await expect(client(first).prepare('too late', 'top')).rejects.toMatchObject({
        reason: 'STORAGE_FAILED',
      });
      first.kill('SIGKILL');
      await first.exited;
      await disk.restart();

      const again = await startService('overlay2', directories);
      const listed = await expectSound(client(again), join(directories.dataDir, 'overlay2'));
      const names = listed.map(({ name }) => name).sort();
      expect(names).toEqual(['apart', 'base', 'top', ...keys.slice(1)].sort());
      await again.stop();
    });

    it('says when the disk is full, and can still remove', { timeout: 60_000 }, async () => {
      disk = await loopFilesystem(48 << 20);
      using run = tempDir();
      const service = await startService('overlay2', {
        runDir: run.path,
        dataDir: join(disk.path, 'd'),
      });
      const snapshots = client(service);
      await makeLayer(snapshots, 'base');
      await withMounted(await snapshots.prepare('big', 'base'), (root) => fill(join(root, 'big')));
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
      await snapshots.remove('big');
      await snapshots.cleanup();
      await snapshots.prepare('after', 'base');
      const { getDiskUsage } = DriverServiceService;
      const usage = await service.channel.unary(getDiskUsage, {});
      expect(usage.availableBytes).toBeGreaterThan(8 << 20);
      expect(usage.totalBytes).toBe(
        usage.committedBytes + usage.activeBytes + usage.removingBytes + usage.metadataBytes,
      );
      expect(usage.snapshotCount).toBe(made.length + 2);
      await service.stop();
    });
  },
);

/** Writes until nothing fits any more, down to single blocks. */
function fill(path: string): void {
  for (let size = 1 << 20; size >= 4096; size /= 2) {
    try {
      for (let index = 0; ; index += 1)
        writeFileSync(`${path} ${size} ${index}`, Buffer.alloc(size));
    } catch (error) {
      expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC');
    }
  }
}
