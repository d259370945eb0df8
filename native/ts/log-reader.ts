import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeLogRecord, LOG_RECORD_HEADER_BYTES } from './frame-payloads.js';
import type { LogRecord } from './supervisor-types.js';

/** Each file begins with the text `TEULOG1\n` and the offset of its first record, u64. */
const FILE_HEADER_BYTES = 16;
const FILE_MAGIC = 'TEULOG1\n';
const CHUNK_BYTES = 64 * 1024;

export interface ReadLogOptions {
  /** First record to give: the first whose offset is at least this. */
  from?: bigint;
  /** Only records at or after this wall-clock time, nanoseconds since the epoch. */
  sinceNs?: bigint;
  /** Only records before this wall-clock time, nanoseconds since the epoch. */
  untilNs?: bigint;
  /** Only the last N lines of what the other options leave (whole records: the first may hold a line more). */
  tailLines?: number;
}

/**
 * The log on disk, oldest first, as it is now; needs no supervisor. To follow a running program, read this and then
 * `attach({ from: last.nextOffset })`. A directory without a log has no records; a torn last record is left out.
 */
export async function* readLog(
  directory: string,
  options: ReadLogOptions = {},
): AsyncGenerator<LogRecord, void, undefined> {
  if (options.tailLines === undefined) {
    yield* selectRecords(directory, options);
    return;
  }
  yield* await lastLines(selectRecords(directory, options), options.tailLines);
}

async function* selectRecords(
  directory: string,
  options: ReadLogOptions,
): AsyncGenerator<LogRecord, void, undefined> {
  let expected: bigint | null = null;
  // `log` is opened first: if a rotation comes between the two, its content is seen twice rather than not at all.
  const current = await openIfPresent(join(directory, 'log'));
  const previous = await openIfPresent(join(directory, 'log.1'));
  try {
    for (const file of [previous, current]) {
      if (file === null) continue;
      for await (const record of fileRecords(file)) {
        if (expected !== null && record.offset < expected) continue;
        expected = record.nextOffset;
        if (isSelected(record, options)) yield record;
      }
    }
  } finally {
    await previous?.close();
    await current?.close();
  }
}

function isSelected(record: LogRecord, options: ReadLogOptions): boolean {
  if (options.from !== undefined && record.offset < options.from) return false;
  if (options.sinceNs !== undefined && record.timeNs < options.sinceNs) return false;
  return options.untilNs === undefined || record.timeNs < options.untilNs;
}

async function* fileRecords(file: FileHandle): AsyncGenerator<LogRecord, void, undefined> {
  const header = Buffer.alloc(FILE_HEADER_BYTES);
  const { bytesRead } = await file.read(header, 0, FILE_HEADER_BYTES, 0);
  if (bytesRead < FILE_HEADER_BYTES) return;
  if (header.toString('latin1', 0, FILE_MAGIC.length) !== FILE_MAGIC) return;
  let offset = header.readBigUInt64LE(FILE_MAGIC.length);
  let pending: Buffer = Buffer.alloc(0);
  for (let at = FILE_HEADER_BYTES; ;) {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    const { bytesRead: size } = await file.read(chunk, 0, CHUNK_BYTES, at);
    if (size === 0) return;
    at += size;
    pending = Buffer.concat([pending, chunk.subarray(0, size)]);
    for (;;) {
      const record = decodeLogRecord(pending);
      if (record === null) break;
      if (record.offset !== offset) return;
      offset = record.nextOffset;
      pending = pending.subarray(LOG_RECORD_HEADER_BYTES + record.data.length);
      yield record;
    }
  }
}

async function lastLines(records: AsyncIterable<LogRecord>, lines: number): Promise<LogRecord[]> {
  const kept: { record: LogRecord; lines: number }[] = [];
  let total = 0;
  for await (const record of records) {
    const count = countNewlines(record.data);
    kept.push({ record, lines: count });
    total += count;
    while (kept.length > 1 && total - (kept[0]?.lines ?? 0) >= lines) {
      total -= kept.shift()?.lines ?? 0;
    }
  }
  return lines === 0 ? [] : kept.map((entry) => entry.record);
}

function countNewlines(data: Buffer): number {
  let count = 0;
  for (let at = data.indexOf(10); at !== -1; at = data.indexOf(10, at + 1)) count += 1;
  return count;
}

async function openIfPresent(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
