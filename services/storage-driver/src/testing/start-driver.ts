import { loadConfig } from '@teu/config';
import { silentLogger } from '@teu/log';
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

/** Starts overlay2 with its data and its socket in a directory. Further flags as on a command line. */
export async function startDriver(
  directory: string,
  flags: readonly string[] = [],
): Promise<StartedDriver> {
  const argv = ['--run-dir', join(directory, 'r'), '--data-dir', directory, ...flags];
  const config = loadConfig(storageDriverConfig, { env: {}, argv });
  const server = await startServer(config, silentLogger);
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
