import { spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Directories } from '../config.js';
import type { Environment } from '../context.js';
import type { DriverKind } from '../driver-kinds.js';
import { openLog } from './log-file.js';
import { nodeCommand, reportVariable, serviceEnvironment } from './node-process.js';
import type { UpEvent } from './supervisor.js';

const reportDescriptor = 3;

/**
 * Starts the resident process in the background, in a session of its own, and passes on what it
 * reports until the engine is up or has failed.
 * @param storageDrivers those that were asked for
 * @returns whether it is up
 */
export async function spawnResident(
  directories: Directories,
  storageDrivers: readonly DriverKind[] | undefined,
  env: Environment,
  report: (event: UpEvent) => void,
): Promise<boolean> {
  const { program, args } = nodeCommand('clients/cli/dist/main.mjs');
  const log = openLog(directories.dataDir, 'up');
  const childEnv = serviceEnvironment(env, {
    NODE_COMPILE_CACHE: `${directories.dataDir}/cache/node`,
    [reportVariable]: String(reportDescriptor),
  });
  const asked = storageDrivers === undefined ? [] : ['--storage-driver', storageDrivers.join(',')];
  const child = spawn(program, [...args, 'up', ...asked], {
    cwd: '/',
    env: childEnv,
    detached: true,
    stdio: ['ignore', log, log, 'pipe'],
  });
  closeSync(log);
  child.unref();
  const lines = createInterface({ input: child.stdio[reportDescriptor] as Readable });
  for await (const line of lines) {
    const event = JSON.parse(line) as UpEvent;
    report(event);
    if (event.kind === 'ready') return true;
    if (event.kind === 'failed') return false;
  }
  report({ kind: 'failed', text: `it ended at once; see ${directories.dataDir}/log/up.log` });
  return false;
}
