import { loadConfig } from '@teu/config';
import { silentLogger, type Logger } from '@teu/log';
import { connect, type RpcChannel } from '@teu/rpc';
import { SnapshotsClient } from '@teu/snapshot-conformance';
import { join } from 'node:path';
import { storageDriverConfig } from '../config.js';
import { startServer } from '../server.js';

/** A driver in this process, and the way to it. */
export interface StartedDriver {
  readonly channel: RpcChannel;
  readonly snapshots: SnapshotsClient;
  close(): Promise<void>;
}

/** Starts overlay2 with its data and its socket in a directory. */
export async function startDriver(
  directory: string,
  log: Logger = silentLogger,
): Promise<StartedDriver> {
  const argv = ['--run-dir', join(directory, 'r'), '--data-dir', directory];
  const config = loadConfig(storageDriverConfig, { env: {}, argv });
  const server = await startServer(config, log);
  const channel = connect(server.address);
  return {
    channel,
    snapshots: new SnapshotsClient(channel, 'overlay2'),
    close: async () => {
      channel.close();
      await server.close();
    },
  };
}
