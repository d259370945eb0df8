import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '@teu/config';
import { silentLogger } from '@teu/log';
import { DriverServiceService, type GetDiskUsageResponse } from '@teu/proto/storage';
import { connect, type RpcChannel } from '@teu/rpc';
import { mountSnapshot, SnapshotsClient, unmountSnapshot } from '@teu/snapshot-conformance';
import { loopFilesystem, requires, tempDir, waitFor, type LoopFilesystem } from '@teu/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { storageDriverConfig } from './config.js';
import { startServer } from './server.js';

const { checkSnapshots, getDiskUsage } = DriverServiceService;

const DISK_BYTES = 96 << 20;

/**
 * The journal, bitmaps and inode tables of ext4 are made with the file system and not counted by statfs,
 * so what the driver accounts for and what the disk has less must be the same to the byte, once all is
 * written.
 */
describe
  .runIf(requires('root', 'overlayfs', 'ext4', 'loop', 'mkfs.ext4'))
  .each(['overlay2', 'vfs'])('the accounts of %s', (name) => {
  let disk: LoopFilesystem | undefined;
  afterEach(() => {
    disk?.remove();
    disk = undefined;
  });

  const usedBytes = (path: string): number => {
    execFileSync('sync', ['--file-system', path]);
    const { blocks, bfree, bsize } = statfsSync(path);
    return (blocks - bfree) * bsize;
  };

  /** All that is to be written in the background is. */
  async function settle(channel: RpcChannel, snapshots: SnapshotsClient): Promise<void> {
    await snapshots.cleanup();
    const request = { key: '', readData: false };
    await waitFor(async () => {
      const [last] = (await Array.fromAsync(channel.serverStream(checkSnapshots, request))).slice(
        -1,
      );
      return last?.part?.$case === 'summary' && last.part.value.unjudgedCount === 0;
    });
  }

  it('are what the disk says, through commits, containers and removals', async () => {
    disk = await loopFilesystem(DISK_BYTES);
    using run = tempDir();
    const path = disk.path;
    const before = usedBytes(path);
    const argv = ['--run-dir', run.path, '--data-dir', path, '--driver', name];
    const config = loadConfig(storageDriverConfig, { env: {}, argv });
    const server = await startServer(config, silentLogger);
    const channel = connect(server.address);
    const snapshots = new SnapshotsClient(channel, name);
    const place = join(run.path, 'm');

    const measure = async (): Promise<GetDiskUsageResponse> => {
      await settle(channel, snapshots);
      const usage = await channel.unary(getDiskUsage, {});
      const { committedBytes, activeBytes, removingBytes, metadataBytes } = usage;
      const sum = committedBytes + activeBytes + removingBytes + metadataBytes;
      expect(usage.totalBytes).toBe(sum);
      const grown = usedBytes(path) - before;
      expect(usage.totalBytes).toBe(grown);
      return usage;
    };
    const fill = async (
      key: string,
      parent: string,
      work: (root: string) => void,
    ): Promise<void> => {
      await mountSnapshot(await snapshots.prepare(key, parent), place);
      work(place);
      await unmountSnapshot(place);
    };

    await measure();
    await fill('making', '', (root) => {
      for (let index = 0; index < 400; index += 1) {
        mkdirSync(join(root, `directory ${index % 7}`), { recursive: true });
        writeFileSync(join(root, `directory ${index % 7}/${index}`), Buffer.alloc(index * 50, 1));
      }
    });
    await snapshots.commit('base', 'making');
    const base = await measure();
    expect(base.committedBytes).toBeGreaterThan(4_000_000);
    await fill('making', 'base', (root) => {
      writeFileSync(join(root, 'directory 1/1'), 'changed');
      rmSync(join(root, 'directory 2'), { recursive: true });
    });
    await snapshots.commit('top', 'making');
    await measure();
    for (let index = 0; index < 3; index += 1) {
      await fill(`container/${index}`, 'top', (root) => {
        writeFileSync(join(root, 'log'), Buffer.alloc(100_000 * (index + 1), 1));
      });
    }
    const busy = await measure();
    expect(busy.activeBytes).toBeGreaterThan(600_000);
    await snapshots.view('view', 'top');
    await measure();
    for (const key of ['view', 'container/0', 'container/1', 'container/2', 'top']) {
      await snapshots.remove(key);
    }
    const after = await measure();
    expect(after).toMatchObject({ activeBytes: 0, removingBytes: 0, snapshotCount: 1 });
    expect(after.committedBytes).toBe(base.committedBytes);
    channel.close();
    await server.close();
  });
});
