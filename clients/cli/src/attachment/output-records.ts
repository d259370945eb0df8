import { OutputStream, type LogRecord } from '@teu/proto/executor';
import type { Context, Output } from '../context.js';

/** Standard output or error of the command, according to where a record came from. */
export function outputOf(context: Context, record: LogRecord): Output {
  return record.stream === OutputStream.OUTPUT_STREAM_STDERR ? context.stderr : context.stdout;
}

/** Writes a record's bytes where they belong. */
export function writeRecord(context: Context, record: LogRecord): Promise<void> {
  return outputOf(context, record).write(record.data);
}
