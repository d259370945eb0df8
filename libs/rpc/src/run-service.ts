import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import {
  ConfigOutput,
  installRoot,
  loadProcessConfig,
  type CommonConfig,
  type ConfigDefinition,
} from '@teu/config';
import { formatErrorChain } from '@teu/errors';
import { createLogger, type Logger } from '@teu/log';
import { settleMemoryAtRest } from './settle-memory.js';

/** A service that runs. */
export interface RunningService {
  /** Where it listens, for the ready line. */
  readonly address?: string;
  /** Stops in order; what takes longer than its own grace time is cut off by the service itself. */
  close(): Promise<void>;
}

export interface ServiceProgram<T extends object> {
  name: string;
  /** The table of config.ts; it is loaded from this process's environment and arguments. */
  config: ConfigDefinition<T>;
  start(config: T & CommonConfig, log: Logger): Promise<RunningService>;
}

const EXIT_OK = 0;
const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

/**
 * The body of a service's main.ts. Loads the configuration, starts, writes one log line `ready`, and on
 * SIGTERM or SIGINT closes and ends with 0; a second signal ends at once with 1, as does an error that
 * nobody handled. A configuration that cannot be used ends with 2. Returns when the process is about to end.
 */
export async function runService<T extends object>(program: ServiceProgram<T>): Promise<void> {
  const config = loadOrExit(program);
  const log = createLogger({ service: program.name, level: config.logLevel });
  const crash = (error: unknown, message: string): never => {
    log.fatal({ err: error }, message);
    return exit(EXIT_FAILED);
  };
  process.on('uncaughtException', (error) => crash(error, 'uncaught exception'));
  process.on('unhandledRejection', (error) => crash(error, 'unhandled rejection'));

  // Before anything slow, so that a stop during the start is an orderly one too.
  const stopRequested = new Promise<NodeJS.Signals>((resolve) => {
    let count = 0;
    const onSignal = (signal: NodeJS.Signals): void => {
      count += 1;
      if (count > 1) exit(EXIT_FAILED);
      resolve(signal);
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
  try {
    const service = await program.start(config, log);
    log.info({ address: service.address, version: version() }, 'ready');
    settleMemoryAtRest();
    const signal = await stopRequested;
    log.info({ signal }, 'stopping');
    await service.close();
    log.info('stopped');
  } catch (error) {
    crash(error, 'failed');
  }
  exit(EXIT_OK);
}

function loadOrExit<T extends object>(program: ServiceProgram<T>): T & CommonConfig {
  try {
    return loadProcessConfig(program.config);
  } catch (error) {
    if (error instanceof ConfigOutput) {
      process.stdout.write(error.message);
      return exit(EXIT_OK);
    }
    process.stderr.write(`${program.name}: ${formatErrorChain(error)}\n`);
    return exit(EXIT_USAGE);
  }
}

/** Version of the installation; one for all its services. */
function version(): string {
  const text = readFileSync(join(installRoot(), 'package.json'), 'utf8');
  const { version: value } = JSON.parse(text) as { version?: unknown };
  return typeof value === 'string' ? value : 'unknown';
}

function exit(code: number): never {
  // eslint-disable-next-line no-restricted-syntax -- this function is what every main.ts consists of
  process.exit(code);
}
