import { closeSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { createLogger, type Logger } from '@teu/log';
import { settleMemoryAtRest } from '@teu/rpc';
import { CliError } from '../cli-error.js';
import type { Directories } from '../config.js';
import type { Context } from '../context.js';
import type { DriverKind } from '../driver-kinds.js';
import { runProgram } from '../program.js';
import { startCliServer } from '../resident/cli-server.js';
import { chooseDrivers, isFatal, type DriverChoice } from './choose-drivers.js';
import { settleDefaultDriver } from './default-driver.js';
import { stopLeftovers } from './leftovers.js';
import { openLog } from './log-file.js';
import { failureText } from './failure-reason.js';
import { cleanRunDirectory, makeDirectories } from './run-directory.js';
import { stopAllContainers } from './stop-containers.js';
import { Supervisor, type UpEvent } from './supervisor.js';
import { lockRunDirectory } from './up-lock.js';
import { readUpRecord } from './up-record.js';

/** What the resident process needs to know. */
export interface ResidentOptions {
  readonly directories: Directories;
  /** Storage drivers that were asked for; undefined if none was. */
  readonly storageDrivers: readonly DriverKind[] | undefined;
  readonly report: (event: UpEvent) => void;
}

/**
 * Brings the engine up, runs commands for launchers until it is told to end, and takes it down.
 * @returns the exit code
 * @throws CliError if another process does that already
 */
export async function runResident(context: Context, options: ResidentOptions): Promise<number> {
  const begin = performance.now();
  const { directories } = options;
  makeDirectories(directories);
  const unlock = lockRunDirectory(directories.runDir);
  if (unlock === undefined) {
    throw new CliError('the engine is up already', { hint: 'see: teu status', exitCode: 125 });
  }
  const logFile = openLog(directories.dataDir, 'up');
  const log = createLogger({
    service: 'up',
    destination: {
      write: (line) => {
        writeOrDrop(logFile, line);
      },
    },
  });
  outliveMistakes(log);
  const told = untilTold(context);
  try {
    // Whoever held the lock before may have been killed; its services must not serve beside ours.
    await stopLeftovers(readUpRecord(directories.runDir));
    return await serve(context, options, log, told, begin);
  } finally {
    cleanRunDirectory(directories.runDir);
    unlock();
    closeSync(logFile);
  }
}

async function serve(
  context: Context,
  options: ResidentOptions,
  log: Logger,
  told: Promise<void>,
  begin: number,
): Promise<number> {
  const { directories, report } = options;
  const choice = await choiceOrReport(context, options);
  if (choice === undefined) return 125;
  const { drivers } = choice;
  log.info({ drivers, why: choice.why }, 'storage drivers');
  const supervisor = new Supervisor({
    ...{ directories, report, log },
    ...{ env: context.env, storageDrivers: drivers },
  });
  const failed = await supervisor.start();
  if (isFatal(failed, choice)) {
    // Told when all have ended: whoever is told may bring the engine up again at once.
    await supervisor.stop();
    report({ kind: 'failed', text: failureText(failed, directories.dataDir) });
    return 125;
  }
  if (failed.length > 0) report({ kind: 'note', text: failureText(failed, directories.dataDir) });
  await settleDefaultDriver(context, choice, report, log);
  const server = await startCliServer({
    runDir: directories.runDir,
    services: context.services,
    program: runProgram,
    log,
  });
  report({ kind: 'ready', ms: performance.now() - begin });
  log.info({ run_dir: directories.runDir }, 'the engine is up');
  settleMemoryAtRest();
  await told;
  log.info('the engine goes down');
  await stopContainers(context, log);
  await server.close();
  await supervisor.stop();
  log.info('the engine is down');
  return 0;
}

/** The drivers to run; undefined, and told, if there are none. */
async function choiceOrReport(
  context: Context,
  { directories, storageDrivers, report }: ResidentOptions,
): Promise<DriverChoice | undefined> {
  try {
    const choice = await chooseDrivers(directories, context.env, storageDrivers);
    report({ kind: 'drivers', drivers: choice.drivers, why: choice.why });
    return choice;
  } catch (error) {
    report({ kind: 'failed', text: error instanceof Error ? error.message : String(error) });
    return undefined;
  }
}

async function stopContainers(context: Context, log: Logger): Promise<void> {
  try {
    const { stopped, failures } = await stopAllContainers(
      { services: context.services, abort: new AbortController().signal },
      undefined,
    );
    if (stopped > 0) log.info({ count: stopped }, 'containers stopped');
    for (const failure of failures) log.error({ failure }, 'a container could not be stopped');
  } catch (error) {
    log.error({ err: error }, 'the engine could not be asked to stop its containers');
  }
}

/** A full disk takes no log; what watches over the services must live on all the same. */
function writeOrDrop(descriptor: number, line: string): void {
  try {
    writeSync(descriptor, line);
  } catch {
    // There is nowhere to tell it.
  }
}

/** Resolves at the first signal that asks for the end. A terminal that goes away asks for it too. */
function untilTold(context: Context): Promise<void> {
  const { SIGHUP, SIGINT, SIGQUIT, SIGTERM } = constants.signals;
  return new Promise((resolve) => {
    context.signals.listen((signal) => {
      const asked = [SIGINT, SIGQUIT, SIGTERM].includes(signal);
      if (asked || (signal === SIGHUP && context.stdout.isTerminal)) resolve();
    });
  });
}

/** A mistake in one command must not end the commands beside it, nor the watch over the services. */
function outliveMistakes(log: Logger): void {
  process.on('uncaughtException', (error) => {
    log.error({ err: error }, 'uncaught exception');
  });
  process.on('unhandledRejection', (error) => {
    log.error({ err: error }, 'unhandled rejection');
  });
}
