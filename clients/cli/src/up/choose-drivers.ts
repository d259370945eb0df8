import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CliError } from '../cli-error.js';
import type { Directories } from '../config.js';
import type { Environment } from '../context.js';
import { driverKinds, isDriverKind, type DriverKind } from '../driver-kinds.js';
import { nodeCommand, serviceEnvironment } from './node-process.js';

/** A driver that hangs while it looks at the host must not keep the engine down for ever. */
const probeTimeoutMs = 60_000;

/** Which of the engine's own storage drivers run. */
export interface DriverChoice {
  /** The first is the default one, unless another was chosen with `teu driver default`. */
  readonly drivers: readonly DriverKind[];
  /** Those that were asked for: without one of them the engine does not come up. */
  readonly asked: readonly DriverKind[];
  /** Why these, for people. */
  readonly why: string;
}

/**
 * Chooses the storage drivers to run, as docker would: those that were asked for; else those that have
 * something in the data directory; else the first that works here. What has something in it runs in
 * any case, so that containers and layers stay reachable when the default changes.
 * @throws CliError if none works
 */
export async function chooseDrivers(
  directories: Directories,
  env: Environment,
  asked: readonly DriverKind[] | undefined,
): Promise<DriverChoice> {
  const used = driverKinds.filter((kind) => hasState(directories.dataDir, kind));
  if (asked !== undefined) {
    const others = used.filter((kind) => !asked.includes(kind));
    const more = others.length === 0 ? '' : `; ${others.join(', ')}: used before`;
    return { drivers: [...asked, ...others], asked, why: `asked for${more}` };
  }
  if (used.length > 0) return { drivers: used, asked: [], why: 'used before' };
  return { drivers: [await firstThatWorks(directories, env)], asked: [], why: 'works here' };
}

function hasState(dataDir: string, kind: DriverKind): boolean {
  return existsSync(join(dataDir, kind, 'state.db'));
}

/** What services/storage-driver prints for `--probe`, a line for each driver. */
interface ProbeResult {
  readonly driver: string;
  readonly works: boolean;
  readonly reason: string;
}

/** Asks the drivers themselves, who know best; they leave nothing behind. */
async function firstThatWorks(
  { runDir, dataDir }: Directories,
  env: Environment,
): Promise<DriverKind> {
  const { program, args } = nodeCommand('services/storage-driver/dist/main.mjs');
  const { stdout } = await promisify(execFile)(program, [...args, '--probe', 'first'], {
    env: serviceEnvironment(env, { TEU_RUN_DIR: runDir, TEU_DATA_DIR: dataDir }),
    timeout: probeTimeoutMs,
    cwd: '/',
  });
  const results = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as ProbeResult);
  const found = results.find(({ works }) => works)?.driver;
  if (found !== undefined && isDriverKind(found)) return found;
  const reasons = results.map(({ reason }) => reason);
  throw new CliError(`no storage driver works here: ${reasons.join('; ')}`, { exitCode: 125 });
}

/**
 * Whether the engine cannot do without services that failed. It can without a driver that nobody asked
 * for, if there is another one.
 */
export function isFatal(failed: readonly string[], { drivers, asked }: DriverChoice): boolean {
  const isDriver = (name: string) => drivers.some((driver) => driver === name);
  const lost = failed.filter(isDriver);
  return (
    lost.length < failed.length ||
    lost.length === drivers.length ||
    asked.some((driver) => lost.includes(driver))
  );
}
