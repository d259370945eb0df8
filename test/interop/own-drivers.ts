import type { RpcChannel } from '@teu/rpc';
import { type RunningTestService, startService, tempDir } from '@teu/testing';
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

/** How each driver is started, by the name that containerd gets to know it by. */
export const OWN_DRIVERS: Readonly<Record<string, () => Promise<OwnDriver>>> = {
  overlay2: () => ownService('overlay2'),
  vfs: () => ownService('vfs'),
  plain: () => pythonDriver(),
};

/** A driver of services/storage-driver with its data in a directory of its own. */
async function ownService(name: string): Promise<OwnDriver> {
  const directory = tempDir();
  const places = { runDir: join(directory.path, 'run'), dataDir: join(directory.path, 'data') };
  let service: RunningTestService = await startService(name, places);
  return {
    address: service.address,
    get channel() {
      return service.channel;
    },
    restart: async () => {
      service.kill('SIGKILL');
      await service.stop();
      service = await startService(name, places);
    },
    stop: async () => {
      await service.stop();
      directory.remove();
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
