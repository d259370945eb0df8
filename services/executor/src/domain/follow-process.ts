import { failpoint } from '@teu/failpoint';
import { connectSupervisor, NativeError, readExit, type SupervisorConnection } from '@teu/native';
import type { ExitStatus } from '@teu/proto/executor';
import { writeLostMark } from '../store/lost-mark.js';
import type { ExecutorParts } from './executor-parts.js';
import { killRemains } from './kill-remains.js';
import { lostExit, recordedExit, type ProcessEntry } from './process-entry.js';
import { within } from './within.js';

/** How long a supervisor may take to say hello before it is given up for this attempt. */
const CONNECT_TIMEOUT_MS = 5_000;

/** Listens to a supervisor until its process has ended and it has let go of everything. Never rejects. */
export function followProcess(
  parts: ExecutorParts,
  entry: ProcessEntry,
  connection: SupervisorConnection,
): void {
  entry.connection = connection;
  connection.exited().then(
    (info) => {
      announceExit(parts, entry, recordedExit(info));
      void connection.closed().then(() => entry.release());
      connection.released().then(
        () => entry.release(),
        () => entry.release(),
      );
    },
    (error: unknown) => void endedWithoutExit(parts, entry, error),
  );
}

/** Opens a line to a process's supervisor. @throws NativeError; ENOENT or ECONNREFUSED if there is none any more. */
export function connectToSupervisor(entry: ProcessEntry): Promise<SupervisorConnection> {
  return within(CONNECT_TIMEOUT_MS, connectSupervisor(entry.places.socketPath), (late) =>
    late.close(),
  );
}

/** A line of a reader's own to the supervisor, or null if it has gone. */
export async function openLine(entry: ProcessEntry): Promise<SupervisorConnection | null> {
  try {
    return await connectToSupervisor(entry);
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}

/** Is this what connecting to a supervisor that has gone gives? */
export function isGone(error: unknown): boolean {
  // ECONNRESET: it ended while the connection still stood in its queue.
  return (
    error instanceof NativeError && ['ENOENT', 'ECONNREFUSED', 'ECONNRESET'].includes(error.code)
  );
}

/** Writes an exit down and tells the watchers, once. */
export function announceExit(parts: ExecutorParts, entry: ProcessEntry, exit: ExitStatus): void {
  const wasShown = entry.state !== 'starting';
  if (!entry.stop(exit)) return;
  if (wasShown) parts.exits.publish(entry.toProto());
}

/**
 * What became of a process whose supervisor does not answer: its exit record tells, or else it is lost, and what is
 * left of it is killed, because nobody would notice its end.
 */
export async function settleWithoutSupervisor(
  parts: ExecutorParts,
  entry: ProcessEntry,
): Promise<void> {
  const info = await readExit(entry.places.directory).catch(() => null);
  if (info !== null) {
    announceExit(parts, entry, recordedExit(info));
    entry.release();
    return;
  }
  const now = parts.clock.now();
  parts.log.warn({ process: entry.description, pid: entry.identity?.pid }, 'supervisor lost');
  failpoint('executor.recover.before-kill');
  await killRemains(parts, entry);
  await writeLostMark(entry.places.directory, now).catch((error: unknown) =>
    parts.log.error({ err: error }, 'lost mark not written'),
  );
  announceExit(parts, entry, lostExit(now));
  entry.release();
}

/** No exit came: a held program could not be run, or the line broke. */
async function endedWithoutExit(
  parts: ExecutorParts,
  entry: ProcessEntry,
  error: unknown,
): Promise<void> {
  // The one who starts a held program hears of its failure, and clears up.
  if (entry.isStarting || entry.exit !== undefined || parts.isClosing()) return;
  try {
    // The supervisor may still be there: then only the line is new.
    followProcess(parts, entry, await connectToSupervisor(entry));
  } catch (second) {
    if (!isGone(second)) parts.log.error({ err: second, first: error }, 'supervisor is silent');
    await settleWithoutSupervisor(parts, entry);
  }
}
