import type { RpcChannel } from '@teu/rpc';
import {
  loopFilesystem,
  requires,
  type RunningTestService,
  startService,
  tempDir,
  zfsPool,
} from '@teu/testing';
import { join } from 'node:path';
import { startPythonDriver } from '../e2e/python-driver.js';

/** A storage driver of this repository that serves. */
export interface OwnDriver {
  readonly address: string;
  readonly channel: RpcChannel;
  /** Kills it and starts it again, with the same data and at the same address. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** How each driver is started, by name. */
export const OWN_DRIVERS: Readonly<Record<string, () => Promise<OwnDriver>>> = {
  overlay2: () => ownService('overlay2'),
  vfs: () => ownService('vfs'),
  plain: () => pythonDriver(),
  ...(requires('root', 'fuse') && { aufs: () => ownService('aufs') }),
  ...(requires('root', 'loop', 'btrfs', 'mkfs.btrfs') && {
    btrfs: async () => {
      const disk = await loopFilesystem(DISK_BYTES, 'btrfs');
      const env = { TEU_STORAGE_ROOT: join(disk.path, 'driver') };
      return ownService('btrfs', env, () => disk.remove());
    },
  }),
  ...(requires('root', 'fuse', 'zfs-fuse') && {
    zfs: async () => {
      const pool = await zfsPool();
      return ownService('zfs', { TEU_STORAGE_ZFS_DATASET: pool.name }, () => pool.remove());
    },
  }),
};

const DISK_BYTES = 512 * 1024 * 1024;

/** A driver of services/storage-driver with its data in a directory of its own. */
async function ownService(
  name: string,
  env: Record<string, string> = {},
  removeDisk: () => unknown = () => undefined,
): Promise<OwnDriver> {
  const directory = tempDir();
  const places = { runDir: join(directory.path, 'run'), dataDir: join(directory.path, 'data') };
  const begin = (): Promise<RunningTestService> => startService(name, { ...places, env });
  let service = await begin();
  return {
    address: service.address,
    get channel() {
      return service.channel;
    },
    restart: async () => {
      service.kill('SIGKILL');
      await service.stop();
      service = await begin();
    },
    stop: async () => {
      await service.stop();
      directory.remove();
      await removeDisk();
    },
  };
}

/** The driver in Python, the example for authors of drivers. */
async function pythonDriver(): Promise<OwnDriver> {
  const directory = tempDir();
  let driver = await startPythonDriver(directory.path);
  return {
    address: driver.address,
    get channel() {
      return driver.channel;
    },
    restart: async () => {
      driver.kill('SIGKILL');
      await driver.close();
      driver = await startPythonDriver(directory.path);
    },
    stop: async () => {
      await driver.close();
      directory.remove();
    },
  };
}
