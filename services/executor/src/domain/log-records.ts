import type { LogRecord as NativeRecord } from '@teu/native';
import type { LogRecord } from '@teu/proto/executor';
import { OutputStream } from '@teu/proto/executor';

/** A record as the protocol has it. Offsets are bytes of a log, so far below 2^53. */
export function toLogRecord(record: NativeRecord): LogRecord {
  return {
    offset: Number(record.offset),
    nextOffset: Number(record.nextOffset),
    unixMicros: Number(record.timeNs / 1000n),
    stream:
      record.stream === 'stderr'
        ? OutputStream.OUTPUT_STREAM_STDERR
        : OutputStream.OUTPUT_STREAM_STDOUT,
    data: record.data,
  };
}
