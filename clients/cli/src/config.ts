import type { Environment } from './context.js';
import { parseWholeNumber } from './options/quantities.js';

/** Version of this client. */
export const clientVersion = '0.1.0';

/** Where the sockets and the state are (TEU_RUN_DIR and TEU_DATA_DIR). */
export interface Directories {
  readonly runDir: string;
  readonly dataDir: string;
}

/** Directories of the engine that the caller's environment names. */
export function directoriesOf(env: Environment): Directories {
  return {
    runDir: env['TEU_RUN_DIR'] || '/run/teu',
    dataDir: env['TEU_DATA_DIR'] || '/var/lib/teu',
  };
}

const defaultStartSeconds = 15;

/**
 * Milliseconds that a service of the engine may take to start: an end for one that hangs. TEU_UP_START_TIMEOUT, in
 * seconds, for machines that are so slow that theirs only seem to.
 * @throws UsageError if that is no number of seconds up to an hour
 */
export function startTimeoutOf(env: Environment): number {
  const text = env['TEU_UP_START_TIMEOUT'] || String(defaultStartSeconds);
  return parseWholeNumber(text, 'TEU_UP_START_TIMEOUT', 1, 3600) * 1000;
}
