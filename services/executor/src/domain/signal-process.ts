import { teuError } from '@teu/errors';
import { NativeError, type SupervisorConnection } from '@teu/native';
import type { ProcessEntry } from './process-entry.js';

const SIGNAL_MAX = 64;

/** Sends a signal. @throws INVALID_ARGUMENT, PROCESS_NOT_RUNNING */
export async function signalProcess(entry: ProcessEntry, signal: number): Promise<void> {
  if (!Number.isInteger(signal) || signal < 1 || signal > SIGNAL_MAX) {
    throw teuError('INVALID_ARGUMENT', `signal is not between 1 and ${SIGNAL_MAX}`, {
      metadata: { field: 'signal' },
    });
  }
  try {
    await liveConnection(entry).signal(signal);
  } catch (error) {
    throw ended(error) ? notRunning(entry) : error;
  }
}

/** Sets the size of a terminal. @throws PROCESS_NOT_RUNNING, NO_TERMINAL */
export async function resizeTerminal(
  entry: ProcessEntry,
  size: { rows: number; columns: number },
): Promise<void> {
  try {
    await liveConnection(entry).resize(size);
  } catch (error) {
    if (error instanceof NativeError && error.code === 'ENOTTY') {
      throw teuError('NO_TERMINAL', `${entry.description} has no terminal`);
    }
    throw ended(error) ? notRunning(entry) : error;
  }
}

/** The line to the supervisor of a process that has not ended. @throws PROCESS_NOT_RUNNING */
function liveConnection(entry: ProcessEntry): SupervisorConnection {
  if (entry.exit !== undefined || entry.connection === null) throw notRunning(entry);
  return entry.connection;
}

function ended(error: unknown): boolean {
  return error instanceof NativeError && (error.code === 'ESRCH' || error.code === 'ECONNRESET');
}

function notRunning(entry: ProcessEntry) {
  return teuError('PROCESS_NOT_RUNNING', `${entry.description} has ended`, {
    metadata: { container_id: entry.containerId, exec_id: entry.execId },
  });
}
