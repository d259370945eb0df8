import {
  DriverRegistryServiceService,
  DriverState,
  type RegisteredDriver,
} from '@teu/proto/engine';
import type { GetDiskUsageResponse } from '@teu/proto/storage';
import { CliError } from '../../cli-error.js';
import type { Command, Invocation } from '../../command.js';
import type { Context } from '../../context.js';
import { storedSize } from '../../output/for-people.js';
import { formatOption, jsonDocument, wantsJson } from '../../output/json.js';
import { reportError } from '../../output/report-error.js';
import { formatTable } from '../../output/table.js';
import { listDrivers, nameOfDriver } from './list-drivers.js';
import { usageTimeoutMs } from './timeouts.js';

const header = [
  ...['NAME', 'IMAGES', 'CONTAINERS', 'BEING REMOVED', 'METADATA', 'TOTAL', 'FREE', 'SNAPSHOTS'],
];

/** What a driver says; absent of a foreign snapshotter, which has no words for it. */
interface DriverUsage {
  readonly name: string;
  readonly usage: GetDiskUsageResponse | undefined;
}

async function askUsage(context: Context, name: string): Promise<DriverUsage> {
  const { usage } = await context.services.engine.unary(
    DriverRegistryServiceService.getDriverUsage,
    { name },
    { timeoutMs: usageTimeoutMs, signal: context.abort },
  );
  return { name, usage };
}

/** All drivers beside each other. One that fails is told about and does not keep the others from it. */
async function askAll(
  { context }: Invocation,
  drivers: readonly RegisteredDriver[],
): Promise<{ found: DriverUsage[]; exitCode: number }> {
  const isForeign = ({ state, driver }: RegisteredDriver) =>
    state === DriverState.DRIVER_STATE_AVAILABLE && driver === undefined;
  const answers = await Promise.allSettled(
    drivers.map(async (driver): Promise<DriverUsage> => {
      const name = nameOfDriver(driver);
      return isForeign(driver) ? { name, usage: undefined } : askUsage(context, name);
    }),
  );
  const found: DriverUsage[] = [];
  let exitCode = 0;
  for (const answer of answers) {
    if (answer.status === 'fulfilled') {
      found.push(answer.value);
    } else {
      if (context.abort.aborted) throw answer.reason;
      await reportError(context, answer.reason, driverDf);
      exitCode = 1;
    }
  }
  return { found, exitCode };
}

function row({ name, usage }: DriverUsage): string[] {
  if (usage === undefined) return [name, ...header.slice(1).map(() => '-')];
  const { committedBytes, activeBytes, removingBytes, metadataBytes } = usage;
  const parts = [committedBytes, activeBytes, removingBytes, metadataBytes];
  const sizes = [...parts, usage.totalBytes, usage.availableBytes].map(storedSize);
  return [name, ...sizes, String(usage.snapshotCount)];
}

export const driverDf: Command = {
  name: 'driver df',
  group: 'engine',
  summary: 'Show how much disk storage drivers use, and for what',
  usage: '[NAME]',
  options: [formatOption],
  arguments: { min: 0, max: 1 },
  completes: 'drivers',
  examples: [{ command: 'teu driver df --format json', meaning: 'to the byte' }],
  async run(invocation) {
    const { context, options, args } = invocation;
    const [name] = args;
    const { found, exitCode } =
      name === undefined
        ? await askAll(invocation, await listDrivers(context))
        : { found: [await askUsage(context, name)], exitCode: 0 };
    if (name !== undefined && found[0]?.usage === undefined) {
      throw new CliError(`the storage driver ${name} does not tell how much disk it uses`);
    }
    if (wantsJson(options)) {
      // Not toJSON, which leaves zeros out.
      await context.stdout.write(
        jsonDocument(found.map((item) => ({ name: item.name, ...item.usage }))),
      );
    } else {
      await context.stdout.write(formatTable(header, found.map(row)));
    }
    return exitCode;
  },
};
