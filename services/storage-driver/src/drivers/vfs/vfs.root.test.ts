import { DriverServiceService, Capability } from '@teu/proto/storage';
import {
  describeSnapshotDriver,
  mountSnapshot,
  SnapshotsClient,
  unmountSnapshot,
} from '@teu/snapshot-conformance';
import {
  holdFile,
  loopFilesystem,
  requires,
  startService,
  tempDir,
  waitFor,
  type LoopFilesystem,
} from '@teu/testing';
import { randomFillSync } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { startDriver } from '../../testing/start-driver.js';
import { checkVfsHost } from './check-host.js';
import { VfsDriver } from './vfs-driver.js';

const MEGABYTE = 1 << 20;
const TIMEOUT = { timeout: 120_000 };

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

/** A layer of incompressible files of a megabyte each. */
async function makeLayer(snapshots: SnapshotsClient, megabytes: number): Promise<void> {
  await withMounted(await snapshots.prepare('making base'), (root) => {
    for (let index = 0; index < megabytes; index += 1) {
      writeFileSync(join(root, `${index}`), randomFillSync(Buffer.alloc(MEGABYTE)));
    }
  });
  await snapshots.commit('base', 'making base');
}

function usedBytes(path: string): number {
  const { blocks, bfree, bsize } = statfsSync(path);
  return (blocks - bfree) * bsize;
}

let disk: LoopFilesystem | undefined;
afterEach(() => {
  disk?.remove();
  disk = undefined;
});

describeSnapshotDriver('vfs where files share blocks', {
  features: ['btrfs', 'loop', 'mkfs.btrfs'],
  stacks: 8,
  depth: 40,
  open: async (directory) => {
    const btrfs = await loopFilesystem(1024 * MEGABYTE, 'btrfs');
    const root = join(btrfs.path, 'vfs');
    const driver = await startDriver(directory, ['--driver', 'vfs', '--root', root]);
    return {
      channel: driver.channel,
      close: async () => {
        await driver.close();
        btrfs.remove();
      },
    };
  },
});

describe.runIf(requires('root', 'btrfs', 'loop', 'mkfs.btrfs'))(
  'vfs where files share blocks',
  () => {
    it('has a hundred containers cost next to nothing', TIMEOUT, async () => {
      disk = await loopFilesystem(512 * MEGABYTE, 'btrfs');
      using run = tempDir();
      const root = join(disk.path, 'vfs');
      const driver = await startDriver(run.path, ['--driver', 'vfs', '--root', root]);
      try {
        const { driver: told } = await driver.channel.unary(DriverServiceService.getDriver, {});
        expect(told?.backingFilesystem).toBe('btrfs');
        expect(told?.capabilities).toContain(Capability.CAPABILITY_SHARED_DISK);
        await makeLayer(driver.snapshots, 20);
        const before = usedBytes(disk.path);
        for (let index = 0; index < 100; index += 1)
          await driver.snapshots.prepare(`${index}`, 'base');
        expect(usedBytes(disk.path) - before).toBeLessThan(10 * MEGABYTE);
      } finally {
        await driver.close();
      }
    });
  },
);

describe.runIf(requires('root', 'ext4', 'loop', 'mkfs.ext4', 'python3'))(
  'vfs on a small disk',
  () => {
    it('says when a copy does not fit, and leaves nothing of it', TIMEOUT, async () => {
      disk = await loopFilesystem(64 * MEGABYTE);
      using run = tempDir();
      const root = join(disk.path, 'vfs');
      const driver = await startDriver(run.path, ['--driver', 'vfs', '--root', root]);
      const { snapshots } = driver;
      try {
        await makeLayer(snapshots, 20);
        await snapshots.prepare('fits', 'base');
        const before = usedBytes(root);
        const listed = readdirSync(join(root, 'l'));
        for (const key of ['one', 'two']) {
          await expect(snapshots.prepare(key, 'base')).rejects.toMatchObject({
            reason: 'STORAGE_FULL',
            message: expect.stringContaining('nothing was changed') as string,
          });
          await expect(snapshots.stat(key)).rejects.toMatchObject({ reason: 'SNAPSHOT_NOT_FOUND' });
        }
        await snapshots.cleanup();
        expect(readdirSync(join(root, 'l'))).toEqual(listed);
        for (const empty of ['s', 'removing']) expect(readdirSync(join(root, empty))).toEqual([]);
        expect(usedBytes(root) - before).toBeLessThan(MEGABYTE);
        await withMounted(await snapshots.mounts('fits'), (tree) => {
          expect(readdirSync(tree)).toHaveLength(20);
        });
        await snapshots.remove('fits');
        await snapshots.cleanup();
        await snapshots.prepare('one', 'base');
      } finally {
        await driver.close();
      }
    });

    it('has whole copies after a power cut', TIMEOUT, async () => {
      disk = await loopFilesystem(64 * MEGABYTE);
      using run = tempDir();
      const directories = { runDir: run.path, dataDir: join(disk.path, 'd') };
      const first = await startService('vfs', directories);
      const snapshots = new SnapshotsClient(first.channel, 'vfs');
      await makeLayer(snapshots, 5);
      await snapshots.prepare('container', 'base');
      await disk.cutPower();
      first.kill('SIGKILL');
      await first.exited;
      await disk.restart();

      const again = await startService('vfs', directories);
      const layers = join(directories.dataDir, 'vfs/l');
      const [base = '', container = ''] = readdirSync(layers).sort();
      for (let index = 0; index < 5; index += 1) {
        const copy = readFileSync(join(layers, container, `${index}`));
        expect(copy.equals(readFileSync(join(layers, base, `${index}`)))).toBe(true);
      }
      await again.stop();
    });
  },
);

describe.runIf(requires('root'))('vfs whose parent is gone', () => {
  it('serves the others, and names it', TIMEOUT, async () => {
    using directory = tempDir();
    const first = await startDriver(directory.path, ['--driver', 'vfs']);
    await makeLayer(first.snapshots, 1);
    await first.snapshots.prepare('container', 'base');
    await first.snapshots.prepare('apart');
    await first.close();
    for (const id of [1, 2]) rmSync(join(directory.path, `vfs/l/${id}`), { recursive: true });
    const again = await startDriver(directory.path, ['--driver', 'vfs']);
    await expect(again.snapshots.mounts('container')).rejects.toMatchObject({
      reason: 'SNAPSHOT_INVALID',
    });
    await again.snapshots.commit('other', 'apart');
    await again.snapshots.prepare('new', 'other');
    await again.snapshots.remove('container');
    await again.snapshots.remove('base');
    await again.close();
  });
});

describe.runIf(requires('root', 'python3'))('vfs while it copies', () => {
  it('lets the parent be removed, and then says so', TIMEOUT, async () => {
    using directory = tempDir();
    const driver = await startDriver(directory.path, ['--driver', 'vfs']);
    const { snapshots } = driver;
    const root = join(directory.path, 'vfs');
    await makeLayer(snapshots, 3);
    await using held = await holdFile(join(root, 'l/1/1'));
    const preparing = expect(snapshots.prepare('a', 'base')).rejects.toMatchObject({
      reason: 'SNAPSHOT_NOT_FOUND',
    });
    await held.wanted;
    await waitFor(() => readdirSync(join(root, 's')).length === 1);
    await snapshots.remove('base');
    await held.release();
    await preparing;
    await snapshots.cleanup();
    for (const empty of ['l', 's', 'removing']) expect(readdirSync(join(root, empty))).toEqual([]);
    await driver.close();
  });

  it('gives the copy up when it is closed', TIMEOUT, async () => {
    using directory = tempDir();
    const root = directory.path;
    const driver = new VfsDriver(root, await checkVfsHost(root));
    await driver.create({ id: 1, writable: true, parentIds: [] });
    for (const name of ['one', 'two', 'three']) writeFileSync(join(root, 'l/1', name), 'x');
    await using held = await holdFile(join(root, 'l/1/two'));
    const copying = driver.create({ id: 2, writable: true, parentIds: [1] });
    const givenUp = expect(copying).rejects.toMatchObject({ reason: 'UNAVAILABLE' });
    await held.wanted;
    await waitFor(() => readdirSync(join(root, 's')).length === 1);
    await driver.close();
    expect(readdirSync(join(root, 's'))).toEqual([]);
    await givenUp;
    expect([...driver.inventory().complete]).toEqual([1]);
  });

  it('has no half of a copy left after a kill, nor a program that goes on', TIMEOUT, async () => {
    using directory = tempDir();
    const directories = { runDir: join(directory.path, 'r'), dataDir: join(directory.path, 'd') };
    const root = join(directories.dataDir, 'vfs');
    const first = await startService('vfs', directories);
    await makeLayer(new SnapshotsClient(first.channel, 'vfs'), 3);
    await using held = await holdFile(join(root, 'l/1/1'));
    const preparing = new SnapshotsClient(first.channel, 'vfs').prepare('a', 'base');
    const outcome = expect(preparing).rejects.toMatchObject({ status: 'UNAVAILABLE' });
    await held.wanted;
    await waitFor(() => readdirSync(join(root, 's')).length === 1);
    first.kill('SIGKILL');
    await outcome;
    await first.exited;
    await waitFor(() => !copiesNaming(root));
    await held.release();

    const again = await startService('vfs', directories);
    const snapshots = new SnapshotsClient(again.channel, 'vfs');
    await snapshots.cleanup();
    expect(readdirSync(join(root, 'l'))).toHaveLength(1);
    for (const empty of ['s', 'removing']) expect(readdirSync(join(root, empty))).toEqual([]);
    await snapshots.prepare('a', 'base');
    await again.stop();
  });
});

/** Whether a process that copies has a path in its command line. */
function copiesNaming(path: string): boolean {
  return readdirSync('/proc').some((name) => {
    if (!/^[0-9]+$/.test(name)) return false;
    try {
      const line = readFileSync(`/proc/${name}/cmdline`, 'utf8');
      return line.includes('/usr/bin/cp\0') && line.includes(`${path}/`);
    } catch {
      return false;
    }
  });
}
