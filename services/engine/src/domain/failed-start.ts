import { isTeuError } from '@teu/errors';
import { clock } from '@teu/ids';
import type { ContainerExit } from '@teu/proto/engine';
import type { ContainerEntry } from './container-entry.js';
import type { EngineParts } from './engine-parts.js';

/** How a start that failed looks in the record: with the exit code that docker gives for it. */
export function failedStart(error: unknown): ContainerExit {
  const exitCode = isTeuError(error, 'PROGRAM_NOT_FOUND')
    ? 127
    : isTeuError(error, 'PROGRAM_NOT_EXECUTABLE')
      ? 126
      : 128;
  const problem = problemOf(error);
  return {
    exitCode,
    signal: 0,
    oomKilled: false,
    exitTime: clock.now(),
    error: problem,
    oomKill: undefined,
  };
}

/** An undo that can't be recorded (full disk) is made up for by the next start of the engine: its intent stays. */
export function undo(
  { log }: Pick<EngineParts, 'log'>,
  entry: ContainerEntry,
  record: () => void,
): void {
  try {
    record();
  } catch (error) {
    log.error({ container_id: entry.id, err: error }, 'could not record the undo of a start');
  }
}

/** What events and records say about a failure; causes and host paths stay in the log. */
export function problemOf(error: unknown): string {
  return isTeuError(error) ? error.message : 'internal error; the log has the details';
}
