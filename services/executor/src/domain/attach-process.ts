import { NativeError, readLog, type SupervisorConnection } from '@teu/native';
import type {
  AttachProcessRequest,
  AttachProcessResponse,
  AttachTarget,
  ExitStatus,
  LogRecord,
} from '@teu/proto/executor';
import { ClientInput } from './client-input.js';
import { openLine } from './follow-process.js';
import { toLogRecord } from './log-records.js';
import { recordedExit, type ProcessEntry } from './process-entry.js';
import { within } from './within.js';

/** How long after a supervisor's death it may take until the exit is settled. */
const SETTLE_TIMEOUT_MS = 30_000;

/**
 * A client at a process: its input goes in, output comes out, the exit comes last. The line to the supervisor is this
 * client's own, so that a slow one stops only itself; or, if it asked for all output, the process, but no other client.
 * @param requests what follows the first message
 */
export async function* attachProcess(
  entry: ProcessEntry,
  target: AttachTarget,
  requests: AsyncIterable<AttachProcessRequest>,
  signal: AbortSignal,
): AsyncGenerator<AttachProcessResponse, void, undefined> {
  const connection = await openLine(entry);
  if (connection === null) {
    yield* replay(entry, target.fromOffset);
    return;
  }
  let next: bigint | undefined;
  const input = new ClientInput(entry, connection);
  const hangUp = () => connection.close();
  if (signal.aborted) hangUp();
  signal.addEventListener('abort', hangUp);
  try {
    const offset = await firstOffset(connection, target.fromOffset);
    const output = connection.attach({ from: offset, blocking: target.lossless });
    void input.takeAll(requests);
    yield attachedAt(offset);
    next = offset;
    for await (const record of output) {
      next = record.nextOffset;
      yield recordResponse(toLogRecord(record));
    }
    yield exitResponse(recordedExit(await connection.exited()));
  } catch (error) {
    if (signal.aborted) return;
    if (input.failure !== null) throw input.failure;
    if (!isLineLost(error)) throw error;
    // The supervisor has ended before it could say all: the rest is on disk.
    if (next === undefined) yield* replay(entry, target.fromOffset);
    else yield* replayRest(entry, next);
  } finally {
    signal.removeEventListener('abort', hangUp);
    connection.close();
  }
}

/** The same for a process that ended long ago: its log from disk, then its exit. */
async function* replay(
  entry: ProcessEntry,
  fromOffset: number,
): AsyncGenerator<AttachProcessResponse, void, undefined> {
  const directory = entry.places.directory;
  if (fromOffset < 0) {
    let end = 0n;
    for await (const { nextOffset } of readLog(directory)) end = nextOffset;
    yield attachedAt(end);
  } else {
    let isFirst = true;
    for await (const record of readLog(directory, { from: BigInt(fromOffset) })) {
      if (isFirst) yield attachedAt(record.offset);
      isFirst = false;
      yield recordResponse(toLogRecord(record));
    }
    if (isFirst) yield attachedAt(BigInt(fromOffset));
  }
  yield exitResponse(await within(SETTLE_TIMEOUT_MS, entry.ended));
}

/** What a line that broke has not brought any more. */
async function* replayRest(
  entry: ProcessEntry,
  from: bigint,
): AsyncGenerator<AttachProcessResponse, void, undefined> {
  const exit = await within(SETTLE_TIMEOUT_MS, entry.ended);
  for await (const record of readLog(entry.places.directory, { from })) {
    yield recordResponse(toLogRecord(record));
  }
  yield exitResponse(exit);
}

/** Where output begins: where it was asked for, but not before the oldest record that is kept. */
async function firstOffset(connection: SupervisorConnection, fromOffset: number): Promise<bigint> {
  const { logStart, logEnd } = await connection.status();
  if (fromOffset < 0) return logEnd;
  const asked = BigInt(fromOffset);
  return asked < logStart ? logStart : asked;
}

function isLineLost(error: unknown): boolean {
  return error instanceof NativeError && error.code === 'ECONNRESET';
}

function attachedAt(offset: bigint): AttachProcessResponse {
  return { part: { $case: 'attached', value: { offset: Number(offset) } } };
}

function recordResponse(record: LogRecord): AttachProcessResponse {
  return { part: { $case: 'record', value: record } };
}

function exitResponse(exit: ExitStatus): AttachProcessResponse {
  return { part: { $case: 'exit', value: exit } };
}
