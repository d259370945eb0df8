import { closeSync, existsSync, readdirSync, writeSync } from 'node:fs';
import process from 'node:process';
import { isTeuError } from '@teu/errors';
import { CliError } from '../cli-error.js';
import type { Command, Invocation } from '../command.js';
import { directoriesOf } from '../config.js';
import type { Context } from '../context.js';
import { parseDriverKinds, type DriverKind } from '../driver-kinds.js';
import { runResident } from '../up/resident-process.js';
import { makeDirectories } from '../up/run-directory.js';
import { reportVariable } from '../up/node-process.js';
import { spawnResident } from '../up/spawn-resident.js';
import type { UpEvent } from '../up/supervisor.js';
import { isAlive } from '../up/process-identity.js';
import { readUpRecord } from '../up/up-record.js';

/** One line about an event, for people. */
function eventText(event: UpEvent): string {
  const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`;
  switch (event.kind) {
    case 'service':
      return `  ${event.name.padEnd(10)} ${event.ready ? 'serving' : 'FAILED '}  ${seconds(event.ms)}`;
    case 'drivers': {
      const noun = event.drivers.length === 1 ? 'driver' : 'drivers';
      return `  storage ${noun} ${event.drivers.join(', ')} (${event.why})`;
    }
    case 'note':
      return `  note: ${event.text}`;
    case 'ready':
      return `the engine is up (${seconds(event.ms)})`;
    case 'failed':
      return `the engine could not be brought up: ${event.text}`;
  }
}

function printer(context: Context): (event: UpEvent) => void {
  return (event) => {
    const output = event.kind === 'failed' ? context.stderr : context.stdout;
    void output.write(`${event.kind === 'failed' ? 'teu: ' : ''}${eventText(event)}\n`);
  };
}

/** Reports to the process that started this one in the background, until the engine is up. */
function descriptorReporter(descriptor: number): (event: UpEvent) => void {
  let open = true;
  return (event) => {
    if (!open) return;
    try {
      writeSync(descriptor, `${JSON.stringify(event)}\n`);
      if (event.kind !== 'ready' && event.kind !== 'failed') return;
      closeSync(descriptor);
    } catch (error) {
      // The one who waited has gone; the engine comes up all the same.
      if (isTeuError(error)) throw error;
    }
    open = false;
  };
}

/** Whether a resident process holds this run directory. */
function isUp(runDir: string): boolean {
  const record = readUpRecord(runDir);
  return record !== undefined && isAlive(record.resident);
}

/** The drivers that were asked for, by option or variable; undefined if none was. */
function askedDrivers({ context, options }: Invocation): DriverKind[] | undefined {
  const asked = options.value('storage-driver') ?? (context.env['TEU_STORAGE_DRIVER'] || undefined);
  return asked === undefined ? undefined : parseDriverKinds(asked);
}

/** What the option asks for is a variable to the service that does it. */
function withMetrics(invocation: Invocation): Invocation {
  const { context, options } = invocation;
  const address = options.value('metrics');
  if (address === undefined) return invocation;
  const env = { ...context.env, TEU_CGROUP_METRICS_ADDRESS: address };
  return { ...invocation, context: { ...context, env } };
}

async function inBackground(
  { context }: Invocation,
  storageDrivers: readonly DriverKind[] | undefined,
): Promise<number> {
  const directories = directoriesOf(context.env);
  makeDirectories(directories);
  if (isUp(directories.runDir)) {
    await context.stdout.write('the engine is up already\n');
    return 0;
  }
  const up = await spawnResident(directories, storageDrivers, context.env, printer(context));
  return up ? 0 : 125;
}

export const up: Command = {
  name: 'up',
  group: 'engine',
  summary: 'Bring the engine up: NATS, the services, and what runs commands',
  usage: '',
  options: [
    { name: 'detach', short: 'd', kind: 'flag', doc: 'return when it is up' },
    {
      ...{ name: 'storage-driver', kind: 'value', value: 'NAME[,NAME...]' },
      completes: 'driver kinds',
      doc: 'storage drivers to run, the default one first; usual are those with something in them',
    },
    {
      ...{ name: 'metrics', kind: 'value', value: '127.0.0.1:PORT' },
      doc: 'serve metrics for Prometheus there; for this host only',
    },
  ],
  arguments: { min: 0, max: 0 },
  completes: 'nothing',
  failureCode: 125,
  ownProcess: true,
  examples: [
    { command: 'teu up --detach', meaning: 'in the background; teu down ends it' },
    { command: 'teu up -d --storage-driver vfs', meaning: 'for what names none; others run on' },
    { command: 'teu up -d --metrics 127.0.0.1:9323', meaning: 'GET /metrics has all figures' },
    { command: 'TEU_RUN_DIR=/run/b TEU_DATA_DIR=/srv/b teu up -d', meaning: 'a second engine' },
  ],
  async run(given) {
    const invocation = withMetrics(given);
    const { context, options } = invocation;
    if (process.geteuid?.() !== 0) {
      throw new CliError('the engine needs root', { hint: 'try: sudo teu up --detach' });
    }
    const storageDrivers = askedDrivers(invocation);
    if (options.flag('detach')) return inBackground(invocation, storageDrivers);
    const descriptor = Number(context.env[reportVariable] ?? 0);
    // The variable means nothing unless the descriptor is there.
    const reported =
      descriptor > 2 &&
      existsSync('/proc/self/fd') &&
      readdirSync('/proc/self/fd').includes(String(descriptor));
    return runResident(context, {
      directories: directoriesOf(context.env),
      storageDrivers,
      report: reported ? descriptorReporter(descriptor) : printer(context),
    });
  },
};
