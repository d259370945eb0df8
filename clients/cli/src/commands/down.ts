import process from 'node:process';
import { CliError } from '../cli-error.js';
import { isAlive } from '../up/process-identity.js';
import { stopProcess, waitForEnd } from '../up/stop-process.js';
import type { Command, Invocation } from '../command.js';
import { directoriesOf, type Directories } from '../config.js';
import type { Context } from '../context.js';
import { parseWholeNumber } from '../options/quantities.js';
import { runningServices, stopLeftovers } from '../up/leftovers.js';
import { serviceHealth } from '../up/probe.js';
import { cleanRunDirectory, hasSupervisors } from '../up/run-directory.js';
import { spawnResident } from '../up/spawn-resident.js';
import { stopAllContainers } from '../up/stop-containers.js';
import { readUpRecord } from '../up/up-record.js';

/** Asked of one that listens: on a slow machine it is there all the same. */
const healthTimeoutMs = 20_000;
const endTimeoutMs = 3000;
/** The resident waits for containers and services; longer means that it is stuck. */
const residentTimeoutMs = 60_000;

/** Stops all containers. Returns whether none is left that runs. */
async function stopContainers(
  context: Context,
  directories: Directories,
  seconds: number | undefined,
): Promise<boolean> {
  const engine = `${directories.runDir}/engine.sock`;
  if ((await serviceHealth(engine, healthTimeoutMs)) !== 'SERVING') {
    if (!hasSupervisors(directories.runDir)) return true;
    // Only the engine knows what its containers leave behind, so it has to come up for that.
    await context.stdout.write('bringing the engine up to stop its containers\n');
    const up = await spawnResident(directories, undefined, context.env, () => undefined);
    if (!up) {
      await context.stderr.write('teu: the engine can’t be brought up; its containers run on\n');
      return false;
    }
  }
  const { stopped, failures } = await stopAllContainers(context, seconds);
  if (stopped > 0) {
    await context.stdout.write(`stopped ${String(stopped)} container${stopped === 1 ? '' : 's'}\n`);
  }
  for (const failure of failures) await context.stderr.write(`teu: ${failure}\n`);
  return failures.length === 0;
}

async function takeDown({ context, options }: Invocation): Promise<number> {
  if (process.geteuid?.() !== 0) {
    throw new CliError('the engine needs root', { hint: 'try: sudo teu down' });
  }
  const directories = directoriesOf(context.env);
  const given = options.value('time');
  const seconds = given === undefined ? undefined : parseWholeNumber(given, '--time', 0, 86_400);
  const before = readUpRecord(directories.runDir);
  const wasUp = before !== undefined && isAlive(before.resident);
  if (!wasUp && runningServices(before).length === 0 && !hasSupervisors(directories.runDir)) {
    cleanRunDirectory(directories.runDir);
    await context.stdout.write('the engine is not up\n');
    return 0;
  }
  const allStopped = await stopContainers(context, directories, seconds);
  const record = readUpRecord(directories.runDir);
  if (record !== undefined) {
    await stopProcess(record.resident, residentTimeoutMs);
    await waitForEnd(record.resident, endTimeoutMs);
    await stopLeftovers(record);
  }
  cleanRunDirectory(directories.runDir);
  await context.stdout.write('the engine is down\n');
  return allStopped ? 0 : 1;
}

export const down: Command = {
  name: 'down',
  group: 'engine',
  summary: 'Stop all containers and take the engine down; containers and images stay recorded',
  usage: '',
  options: [
    {
      ...{ name: 'time', short: 't', kind: 'value', value: 'SECONDS' },
      doc: 'time for containers to stop in; without it their own, usually 10',
    },
  ],
  arguments: { min: 0, max: 0 },
  completes: 'nothing',
  ownProcess: true,
  examples: [{ command: 'teu down -t 1', meaning: 'kill what has not stopped after a second' }],
  run: takeDown,
};
