import { teuError } from '@teu/errors';
import type { LogRecord, ReadLogRequest, ReadLogResponse } from '@teu/proto/executor';
import type { CallContext } from '@teu/rpc';
import type { ExecutorParts } from '../domain/executor-parts.js';
import { toLogRecord } from '../domain/log-records.js';
import { readProcessLog, type LogSelection } from '../domain/read-process-log.js';
import { findProcess } from './parse-process-id.js';

/** A message takes what one read of the log gives, so that following stays prompt and the past comes in bulk. */
const MESSAGE_BYTES = 256 * 1024;

export async function* handleReadLog(
  parts: ExecutorParts,
  request: ReadLogRequest,
  { signal }: CallContext,
): AsyncGenerator<ReadLogResponse, void, undefined> {
  const entry = findProcess(parts, request);
  const selection = parseSelection(request);
  let records: LogRecord[] = [];
  let bytes = 0;
  for await (const record of readProcessLog(entry, selection, signal)) {
    records.push(toLogRecord(record));
    bytes += record.data.length;
    if (bytes < MESSAGE_BYTES && !request.follow) continue;
    yield { records };
    records = [];
    bytes = 0;
  }
  if (records.length > 0) yield { records };
}

function parseSelection({ fromOffset, tailLines, since, follow }: ReadLogRequest): LogSelection {
  if (!Number.isInteger(fromOffset) || fromOffset < 0) throw negative('from_offset');
  if (tailLines !== undefined && tailLines < 0) throw negative('tail_lines');
  return {
    from: BigInt(fromOffset),
    tailLines,
    sinceNs: since === undefined ? undefined : BigInt(since.getTime()) * 1_000_000n,
    follow,
  };
}

function negative(field: string) {
  return teuError('INVALID_ARGUMENT', `${field} is negative`, { metadata: { field } });
}
