import {
  describeSnapshotDriver,
  mountSnapshot,
  SnapshotsClient,
  unmountSnapshot,
} from '@teu/snapshot-conformance';
import { DriverServiceService } from '@teu/proto/storage';
import { requires, runProgram, tempDir, waitFor } from '@teu/testing';
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
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
    await makeLayer(first, 'base', 60);
    const snapshots = new SnapshotsClient(first.channel, 'plain');
    await snapshots.prepare('whole', 'base');
    const half = expect(snapshots.prepare('half', 'base')).rejects.toMatchObject({
      status: 'UNAVAILABLE',
    });
    await waitFor(() => readdirSync(join(first.root, 's')).length > 0, { timeoutMs: 5000 });
    first.kill('SIGKILL');
    await half;
    await first.exited;
    first.channel.close();
    mkdirSync(join(first.root, 'l/77'));

    const again = await startPythonDriver(directory.path);
    const after = new SnapshotsClient(again.channel, 'plain');
    expect((await after.list()).map(({ name }) => name).sort()).toEqual(['base', 'whole']);
    await after.cleanup();
    expect(readdirSync(join(again.root, 'l')).sort()).toEqual(['1', '2']);
    for (const empty of ['s', 'removing']) expect(readdirSync(join(again.root, empty))).toEqual([]);
    expect(readdirSync(join(again.root, 'l/2'))).toHaveLength(60);
    await after.prepare('half', 'base');
    await again.close();
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
