import { readLog, type LogRecord } from '@teu/native';
import { openLine } from './follow-process.js';
import { tailOfLog } from './log-tail.js';
import type { ProcessEntry } from './process-entry.js';

/** Which part of a log. */
export interface LogSelection {
  /** First offset, 0 for the beginning. */
  from: bigint;
  /** Only the last lines; undefined for all. */
  tailLines: number | undefined;
  /** Only what came at or after this time, nanoseconds since 1970. */
  sinceNs: bigint | undefined;
  /** Go on with new output until the process ends. */
  follow: boolean;
}

/**
 * The log of a process, running or not: what is on disk, then, if asked, what comes from its supervisor. A slow reader
 * who follows does not hold the process up; it misses what was dropped meanwhile, which shows as a jump of offsets.
 */
export async function* readProcessLog(
  entry: ProcessEntry,
  selection: LogSelection,
  signal: AbortSignal,
): AsyncGenerator<LogRecord, void, undefined> {
  // Taken before reading: what comes while the files are read is then read a second time by offset, not lost.
  const end = { offset: selection.from };
  for await (const record of storedRecords(entry, selection, end)) yield record;
  if (!selection.follow) return;
  const connection = await openLine(entry);
  if (connection === null) {
    // The process ended after the files were read to their end.
    yield* filterSince(readLog(entry.places.directory, { from: end.offset }), selection);
    return;
  }
  const hangUp = () => connection.close();
  if (signal.aborted) hangUp();
  signal.addEventListener('abort', hangUp);
  try {
    for await (const record of connection.attach({ from: end.offset, blocking: false })) {
      if (isSince(record, selection)) yield record;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', hangUp);
    connection.close();
  }
}

async function* storedRecords(
  entry: ProcessEntry,
  selection: LogSelection,
  end: { offset: bigint },
): AsyncGenerator<LogRecord, void, undefined> {
  const all = noteEnd(readLog(entry.places.directory, { from: selection.from }), end);
  const chosen = filterSince(all, selection);
  if (selection.tailLines === undefined) yield* chosen;
  else yield* await tailOfLog(chosen, selection.tailLines);
}

async function* noteEnd(records: AsyncIterable<LogRecord>, end: { offset: bigint }) {
  for await (const record of records) {
    end.offset = record.nextOffset;
    yield record;
  }
}

async function* filterSince(records: AsyncIterable<LogRecord>, selection: LogSelection) {
  for await (const record of records) {
    if (isSince(record, selection)) yield record;
  }
}

function isSince(record: LogRecord, { sinceNs }: LogSelection): boolean {
  return sinceNs === undefined || record.timeNs >= sinceNs;
}
