import type { Environment } from './context.js';

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
