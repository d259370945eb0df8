import { readdirSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import type { RepairAction } from '@teu/proto/storage';
import { DriverServiceService } from '@teu/proto/storage';
import { mountSnapshot, SnapshotsClient, unmountSnapshot } from '@teu/snapshot-conformance';
import {
  holdFile,
  loopFilesystem,
  requires,
  startService,
  tempDir,
  waitFor,
  type HeldFile,
  type RunningTestService,
} from '@teu/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startDriver } from './testing/start-driver.js';

describe.runIf(requires('root', 'overlayfs', 'python3'))('sealing', () => {
  /** Commits a snapshot, and returns when teu-tree stands before a file of it. */
  async function commitHeld(snapshots: SnapshotsClient, directory: string): Promise<HeldFile> {
    const place = join(directory, 'm');
    await mountSnapshot(await snapshots.prepare('making'), place);
    writeFileSync(join(place, 'file'), 'content');
    await unmountSnapshot(place);
    const held = await holdFile(join(directory, 'overlay2/l/1/file'));
    await snapshots.commit('sealed', 'making');
    await held.wanted;
    return held;
  }

  const manifestsOf = (directory: string): string[] =>
    readdirSync(join(directory, 'overlay2/manifests'));

  it('holds no end up, and goes on at the next start', async () => {
    using directory = tempDir();
    const first = await startDriver(directory.path);
    const held = await commitHeld(first.snapshots, directory.path);
    await first.close();
    expect(manifestsOf(directory.path)).toEqual([]);
    expect(programsBelow(directory.path)).toEqual([]);
    await held.release();

    const again = await startDriver(directory.path);
    await waitFor(() => manifestsOf(directory.path).join() === '1');
    await again.close();
  });

  it('holds no removal up', async () => {
    using directory = tempDir();
    const driver = await startDriver(directory.path);
    const held = await commitHeld(driver.snapshots, directory.path);
    await driver.snapshots.remove('sealed');
    await driver.snapshots.cleanup();
    expect(manifestsOf(directory.path)).toEqual([]);
    expect(programsBelow(directory.path)).toEqual([]);
    expect(await driver.snapshots.list()).toEqual([]);
    await held.release();
    await driver.close();
  });

  it('keeps a manifest that a crash left without its row: it is the older witness', async () => {
    using directory = tempDir();
    const directories = { runDir: join(directory.path, 'r'), dataDir: directory.path };
    const env = { TEU_FAILPOINTS: 'storage.seal.after-rename=kill' };
    const crashing = await startService('overlay2', { ...directories, env });
    const snapshots = client(crashing);
    await snapshots.prepare('a');
    await snapshots.commit('base', 'a').catch(() => undefined);
    await crashing.exited;
    const path = join(directory.path, 'overlay2/manifests/1');
    const { ino } = statSync(path);
    writeFileSync(join(directory.path, 'overlay2/l/1/planted'), '');

    const again = await startService('overlay2', directories);
    const found = await Array.fromAsync(
      again.channel.serverStream(DriverServiceService.checkSnapshots, { key: '', readData: false }),
    );
    expect(statSync(path).ino).toBe(ino);
    // The first check may have been the one that noted the manifest, and then it says so.
    const [summary] = found.slice(-1);
    if (summary?.part?.$case !== 'summary') throw new Error('no summary');
    expect(summary.part.value.unjudgedCount + summary.part.value.findingCount).toBeGreaterThan(0);
    await again.stop();
  });

  it('has a record again that a crash of the repair came after', async () => {
    using directory = tempDir();
    const directories = { runDir: join(directory.path, 'r'), dataDir: directory.path };
    const first = await startService('overlay2', directories);
    await client(first).prepare('a');
    await client(first).commit('base', 'a');
    await waitFor(() => manifestsOf(directory.path).join() === '1');
    await first.stop();
    const db = new DatabaseSync(join(directory.path, 'overlay2/state.db'));
    db.exec('DELETE FROM snapshots');
    db.close();

    const env = { TEU_FAILPOINTS: 'storage.restore.after-row=kill' };
    const crashing = await startService('overlay2', { ...directories, env });
    await expect(repairAll(crashing)).rejects.toMatchObject({ status: 'UNAVAILABLE' });
    await crashing.exited;
    const again = await startService('overlay2', directories);
    expect((await client(again).list()).map(({ name }) => name)).toEqual(['base']);
    expect(await repairAll(again)).toEqual([]);
    await client(again).prepare('b', 'base');
    await again.stop();
  });

  it.runIf(requires('ext4', 'loop', 'mkfs.ext4', 'python3'))(
    'is of use after a power cut: nothing is damaged, and what was removed is not called lost',
    async () => {
      const disk = await loopFilesystem(96 << 20);
      onTestFinished(() => disk.remove());
      using run = tempDir();
      const directories = { runDir: run.path, dataDir: join(disk.path, 'd') };
      const first = await startService('overlay2', directories);
      for (const name of ['base', 'removed', 'late']) {
        await client(first).prepare(`making ${name}`);
        await client(first).commit(name, `making ${name}`);
        if (name === 'late') continue;
        await waitFor(() =>
          manifestsOf(directories.dataDir)
            .join()
            .endsWith(name === 'base' ? '1' : '2'),
        );
      }
      await client(first).remove('removed');
      await disk.cutPower();
      first.kill('SIGKILL');
      await first.exited;
      await disk.restart();

      const again = await startService('overlay2', directories);
      expect((await client(again).list()).map(({ name }) => name)).toEqual(['base', 'late']);
      expect(await repairAll(again)).toEqual([]);
      await again.stop();
    },
  );

  function client(service: RunningTestService): SnapshotsClient {
    return new SnapshotsClient(service.channel, 'overlay2');
  }

  async function repairAll(service: RunningTestService): Promise<RepairAction[]> {
    const actions: RepairAction[] = [];
    const request = { key: '', readData: true };
    const stream = service.channel.serverStream(DriverServiceService.repairSnapshots, request);
    for await (const { part } of stream) {
      if (part?.$case === 'repair') actions.push(part.value.action);
    }
    return actions;
  }

  /** Programs of ours that still work in a directory. */
  function programsBelow(directory: string): string[] {
    const working = (pid: string): boolean => {
      try {
        return readlinkSync(`/proc/${pid}/cwd`).startsWith(directory);
      } catch {
        return false;
      }
    };
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && working(name));
  }
});
