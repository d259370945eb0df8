import { join, resolve } from 'node:path';
import process from 'node:process';
import { CliError, UsageError } from '../../cli-error.js';
import type { Command, Invocation } from '../../command.js';
import { directoriesOf } from '../../config.js';
import { parseDriverKind, type DriverKind } from '../../driver-kinds.js';
import { parseSocketAddress } from '../../options/socket-address.js';
import { keptNatsPort } from '../../up/free-port.js';
import { nodeCommand, serviceEnvironment } from '../../up/node-process.js';

/** As the engine takes names, and good for the name of a file. */
const namePattern = /^[a-z0-9][a-z0-9_-]{0,63}$/;

/** A driver to run. */
interface DriverPlan {
  readonly kind: DriverKind;
  readonly name: string;
  readonly address: string;
  readonly root: string;
  /** Options of the kind itself. */
  readonly more: readonly string[];
}

function planDriver({ context, options, args }: Invocation): DriverPlan {
  const [word = '', ...more] = args;
  const kind = parseDriverKind(word);
  const name = options.value('name') ?? `my-${kind}`;
  if (!namePattern.test(name)) {
    throw new UsageError(
      `invalid name "${name}" of a driver`,
      'names are of lower-case letters, digits, - and _, at most 64',
    );
  }
  const { runDir, dataDir } = directoriesOf(context.env);
  const address = options.value('address') ?? join(runDir, 'd', `${name}.sock`);
  // Beside the directories of the drivers that `teu up` runs, which it knows by their names.
  const root = options.value('root') ?? join(dataDir, 'drivers', name);
  return {
    ...{ kind, name, more },
    address: parseSocketAddress(address),
    root: resolve(context.cwd, root),
  };
}

/** Becomes the driver's program: whoever started this process has started the driver. */
function becomeDriver(plan: DriverPlan, env: Invocation['context']['env']): never {
  const { program, args } = nodeCommand('services/storage-driver/dist/main.mjs');
  const { runDir, dataDir } = directoriesOf(env);
  const port = keptNatsPort(dataDir);
  const environment = serviceEnvironment(env, {
    TEU_RUN_DIR: runDir,
    TEU_DATA_DIR: dataDir,
    ...(env['TEU_NATS_URL'] === undefined && port !== undefined
      ? { TEU_NATS_URL: `nats://127.0.0.1:${String(port)}` }
      : {}),
  });
  const flags = ['--driver', plan.kind, '--address', plan.address, '--root', plan.root];
  if (process.execve === undefined) throw new CliError('this needs Node 22.15 or newer');
  process.chdir('/');
  return process.execve(program, [program, ...args, ...flags, ...plan.more], environment);
}

export const driverServe: Command = {
  name: 'driver serve',
  group: 'engine',
  summary: 'Run a storage driver in the foreground, beside those of the engine',
  usage: 'KIND [-- OPTION...]',
  options: [
    {
      ...{ name: 'name', kind: 'value', value: 'NAME' },
      doc: 'what its socket and directory are called; usual is my-KIND',
    },
    {
      ...{ name: 'address', kind: 'value', value: 'ADDRESS' },
      doc: 'where it serves; usual is $TEU_RUN_DIR/d/NAME.sock',
    },
    {
      ...{ name: 'root', kind: 'value', value: 'DIRECTORY' },
      doc: 'where it keeps everything; usual is $TEU_DATA_DIR/drivers/NAME',
    },
  ],
  arguments: { min: 1 },
  completes: 'driver kinds',
  failureCode: 125,
  argumentsCode: 125,
  ownProcess: true,
  examples: [
    {
      command: 'teu driver serve vfs --address /run/slow.sock --root /srv/slow &',
      meaning: 'then:',
    },
    { command: 'teu driver add slow /run/slow.sock', meaning: 'the engine can use it' },
    {
      command: 'teu driver serve zfs -- --zfs-dataset tank/teu',
      meaning: 'with an option of services/storage-driver',
    },
    {
      command: 'teu driver serve devicemapper -- --dm-pool data-thin --dm-filesystem xfs',
      meaning: 'on a thin pool of its own',
    },
  ],
  async run(invocation) {
    const { context } = invocation;
    if (process.geteuid?.() !== 0) {
      throw new CliError('a storage driver needs root', { hint: 'try: sudo teu driver serve' });
    }
    const plan = planDriver(invocation);
    await context.stdout.write(
      `${plan.kind} at ${plan.address}, files in ${plan.root}; ` +
        `make it known with: teu driver add ${plan.name} ${plan.address}\n`,
    );
    return becomeDriver(plan, context.env);
  },
};
