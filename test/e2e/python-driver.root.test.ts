import {
  describeSnapshotDriver,
  mountSnapshot,
  SnapshotsClient,
  unmountSnapshot,
} from '@teu/snapshot-conformance';
import { SnapshotsService } from '@teu/proto/snapshots';
import { DriverServiceService } from '@teu/proto/storage';
import {
  holdFile,
  loopFilesystem,
  type LoopFilesystem,
  requires,
  runProgram,
  tempDir,
  waitFor,
} from '@teu/testing';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startPythonDriver, type PythonDriver } from './python-driver.js';

describeSnapshotDriver('plain', { open: (root) => startPythonDriver(root) });

const MEGABYTE = 1 << 20;

async function makeLayer(driver: PythonDriver, name: string, megabytes: number): Promise<void> {
  const snapshots = new SnapshotsClient(driver.channel, 'plain');
  using place = tempDir();
  const tree = join(place.path, 'm');
  await mountSnapshot(await snapshots.prepare(`making ${name}`), tree);
  for (let index = 0; index < megabytes; index += 1) {
    writeFileSync(join(tree, `${index}`), Buffer.alloc(MEGABYTE, 1));
  }
  await unmountSnapshot(tree);
  await snapshots.commit(name, `making ${name}`);
}

describe.runIf(requires('root', 'python3'))('the driver in Python', () => {
  it('has a private socket, and ends in order', async () => {
    using directory = tempDir();
    const driver = await startPythonDriver(directory.path);
    expect(statSync(driver.socket).mode & 0o777).toBe(0o600);
    expect(statSync(driver.root).mode & 0o777).toBe(0o700);
    await driver.close();
    expect(await driver.exited).toEqual({ code: 0, signal: null });
    expect(readdirSync(directory.path)).toEqual(['plain']);
  });

  it('has its directory for itself', async () => {
    using directory = tempDir();
    const driver = await startPythonDriver(directory.path);
    const second = startPythonDriver(directory.path, 'other.sock');
    await expect(second).rejects.toThrow('in use by another process');
    await driver.close();
  });

  it('has what it acknowledged after a kill, and nothing else', async () => {
    using directory = tempDir();
    const first = await startPythonDriver(directory.path);
    await makeLayer(first, 'base', 3);
    const snapshots = new SnapshotsClient(first.channel, 'plain');
    await snapshots.prepare('whole', 'base');
    await using held = await holdFile(join(first.root, 'l/1/1'));
    const half = expect(snapshots.prepare('half', 'base')).rejects.toMatchObject({
      status: 'UNAVAILABLE',
    });
    await held.wanted;
    await waitFor(() => readdirSync(join(first.root, 's')).length === 1);
    first.kill('SIGKILL');
    await half;
    await first.exited;
    await held.release();
    first.channel.close();
    mkdirSync(join(first.root, 'l/77'));

    const again = await startPythonDriver(directory.path);
    const after = new SnapshotsClient(again.channel, 'plain');
    expect((await after.list()).map(({ name }) => name).sort()).toEqual(['base', 'whole']);
    await after.cleanup();
    expect(readdirSync(join(again.root, 'l')).sort()).toEqual(['1', '2']);
    for (const empty of ['s', 'removing']) expect(readdirSync(join(again.root, empty))).toEqual([]);
    expect(readdirSync(join(again.root, 'l/2'))).toHaveLength(3);
    await after.prepare('half', 'base');
    await again.close();
  });

  it('does not make what nobody waits for any more', async () => {
    using directory = tempDir();
    const driver = await startPythonDriver(directory.path);
    await makeLayer(driver, 'base', 3);
    await using held = await holdFile(join(driver.root, 'l/1/1'));
    const giveUp = new AbortController();
    const request = { snapshotter: 'plain', key: 'a', parent: 'base', labels: {} };
    const options = { timeoutMs: 60_000, signal: giveUp.signal };
    const given = expect(
      driver.channel.unary(SnapshotsService.prepare, request, options),
    ).rejects.toMatchObject({ status: 'CANCELLED' });
    const staging = join(driver.root, 's');
    await held.wanted;
    await waitFor(() => readdirSync(staging).length === 1);
    giveUp.abort();
    await given;
    const snapshots = new SnapshotsClient(driver.channel, 'plain');
    await expect(snapshots.remove('a')).rejects.toMatchObject({ status: 'NOT_FOUND' });
    await held.release();
    await waitFor(() => readdirSync(staging).length === 0);
    await snapshots.cleanup();
    await waitFor(() => readdirSync(join(driver.root, 'l')).length === 1);
    expect((await snapshots.list()).map(({ name }) => name)).toEqual(['base']);
    await driver.close();
  });

  it('names a layer whose tree is gone, and goes on with the others', async () => {
    using directory = tempDir();
    const first = await startPythonDriver(directory.path);
    await makeLayer(first, 'lost', 1);
    await makeLayer(first, 'base', 1);
    await first.close();
    rmSync(join(first.root, 'l/1'), { recursive: true });
    const again = await startPythonDriver(directory.path);
    const snapshots = new SnapshotsClient(again.channel, 'plain');
    await expect(snapshots.prepare('a', 'lost')).rejects.toMatchObject({ status: 'DATA_LOSS' });
    await snapshots.prepare('a', 'base');
    await snapshots.remove('lost');
    await again.close();
  });

  it('accounts for every block that it uses', async () => {
    using directory = tempDir();
    const driver = await startPythonDriver(directory.path);
    await makeLayer(driver, 'base', 3);
    const snapshots = new SnapshotsClient(driver.channel, 'plain');
    for (const key of ['a', 'b']) await snapshots.prepare(key, 'base');
    await snapshots.view('v', 'base');
    await snapshots.remove('a');
    await snapshots.cleanup();
    const usage = await driver.channel.unary(DriverServiceService.getDiskUsage, {});
    const { stdout } = await runProgram('du', ['-s', '--block-size=1', driver.root]);
    expect(usage.totalBytes).toBe(Number.parseInt(stdout, 10));
    expect(usage.committedBytes).toBeGreaterThanOrEqual(3 * MEGABYTE);
    expect(usage.activeBytes).toBeGreaterThanOrEqual(3 * MEGABYTE);
    expect(usage.snapshotCount).toBe(3);
    await driver.close();
  });
});

describe.runIf(requires('root', 'ext4', 'loop', 'mkfs.ext4', 'python3'))(
  'the driver in Python on a small disk',
  () => {
    let disk: LoopFilesystem;
    beforeEach(async () => {
      disk = await loopFilesystem(64 * MEGABYTE);
    });
    afterEach(() => disk.remove());

    it('says that it is full, changes nothing, and can still remove', async () => {
      const driver = await startPythonDriver(disk.path);
      const snapshots = new SnapshotsClient(driver.channel, 'plain');
      await makeLayer(driver, 'base', 20);
      await snapshots.prepare('big', 'base');
      await expect(snapshots.prepare('too much', 'base')).rejects.toMatchObject({
        status: 'RESOURCE_EXHAUSTED',
      });
      expect(readdirSync(join(driver.root, 'l')).sort()).toEqual(['1', '2']);
      expect(readdirSync(join(driver.root, 's'))).toEqual([]);
      fill(join(driver.root, 'l/2/filled'));
      const relabel = async (): Promise<void> => {
        for (let index = 0; index < 2000; index += 1) {
          await snapshots.update('big', { padding: `${index}`.repeat(1000).slice(0, 4000) });
        }
      };
      await expect(relabel()).rejects.toMatchObject({ status: 'RESOURCE_EXHAUSTED' });
      await snapshots.remove('big');
      await snapshots.cleanup();
      await snapshots.prepare('after', 'base');
      await driver.close();
    });

    it('has what it acknowledged after a power cut', async () => {
      const first = await startPythonDriver(disk.path);
      await makeLayer(first, 'base', 3);
      await new SnapshotsClient(first.channel, 'plain').prepare('container', 'base');
      await disk.cutPower();
      await expect(
        new SnapshotsClient(first.channel, 'plain').prepare('too late'),
      ).rejects.toMatchObject({
        status: 'INTERNAL',
        message: expect.stringContaining('disk') as string,
      });
      first.kill('SIGKILL');
      await first.exited;
      first.channel.close();
      await disk.restart();
      const again = await startPythonDriver(disk.path);
      const snapshots = new SnapshotsClient(again.channel, 'plain');
      const names = (await snapshots.list()).map(({ name }) => name);
      expect(names.sort()).toEqual(['base', 'container']);
      for (const index of [0, 1, 2]) {
        const copy = readFileSync(join(again.root, `l/2/${index}`));
        expect(copy.equals(Buffer.alloc(MEGABYTE, 1))).toBe(true);
      }
      await again.close();
    });
  },
);

/** Writes until nothing fits any more, down to single blocks. */
function fill(path: string): void {
  for (let size = MEGABYTE; size >= 4096; size /= 2) {
    try {
      for (let index = 0; ; index += 1) {
        writeFileSync(`${path} ${size} ${index}`, Buffer.alloc(size, 1));
      }
    } catch (error) {
      expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC');
    }
  }
}
