import type { RpcChannel } from '@teu/rpc';
import { type RunningTestService, startService, tempDir } from '@teu/testing';
import { join } from 'node:path';

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
