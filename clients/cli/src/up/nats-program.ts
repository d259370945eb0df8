import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { writeNatsConfig } from '@teu/events';
import { startTimeoutOf, type Directories } from '../config.js';
import type { Environment } from '../context.js';
import { natsPort } from './free-port.js';
import type { ManagedProgram } from './managed-process.js';
import { serviceEnvironment } from './node-process.js';
import { isListening } from './probe.js';

/** Directories that programs of Debian are in; a cron job's PATH may lack the second. */
const programDirectories = ['/usr/bin', '/usr/sbin', '/usr/local/bin', '/usr/local/sbin'];

/** How the services reach NATS, and the server to run for that. */
export interface NatsPlan {
  readonly url: string;
  /** Absent if the server is somebody else's, or not installed. */
  readonly program?: ManagedProgram;
}

/** Plans the NATS server: the one of TEU_NATS_URL, or one of our own on a port that is kept. */
export async function planNats(directories: Directories, env: Environment): Promise<NatsPlan> {
  const given = env['TEU_NATS_URL'];
  if (given !== undefined && given !== '') return { url: given };
  const port = await natsPort(directories.dataDir);
  const url = `nats://127.0.0.1:${String(port)}`;
  const server = programDirectories
    .map((directory) => join(directory, 'nats-server'))
    .find((path) => existsSync(path));
  if (server === undefined) return { url };
  const { configFile } = await writeNatsConfig({
    dir: join(directories.runDir, 'nats'),
    dataDir: join(directories.dataDir, 'nats'),
    port,
  });
  return {
    url,
    program: {
      name: 'nats',
      program: server,
      args: ['--config', configFile],
      // A soft limit for Go's heap. Below 24 MiB it collects all the time; without one it takes its time.
      env: serviceEnvironment(env, { GOMEMLIMIT: '28MiB' }),
      address: url,
      version: '',
      dataDir: directories.dataDir,
      startTimeoutMs: startTimeoutOf(env),
      probe: () => isListening({ port }),
    },
  };
}
