import { pino, type DestinationStream } from 'pino';
import { formatErrorChain } from '@teu/errors';
import type { LogLevel, Logger } from './logger.js';

export interface LoggerOptions {
  /** Name of the service; the field `service` of each line. */
  service: string;
  level?: LogLevel;
  /** Where lines go; standard error if absent. Written synchronously: a crash loses none. */
  destination?: DestinationStream;
}

/**
 * A logger of JSON lines: `time` (ISO 8601), `level`, `service`, `pid`, `msg`, and the fields of the
 * line. `err` is written as the text of its chain of causes.
 */
export function createLogger(options: LoggerOptions): Logger {
  return pino(
    {
      level: options.level ?? 'info',
      base: { service: options.service, pid: process.pid },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: formatErrorChain },
    },
    options.destination ?? descriptorDestination(2),
  );
}

/** Lines that a full disk does not take are kept for the next attempt, up to this many bytes. */
const keptBytesMax = 1024 * 1024;

/** Writes to a descriptor. That it can't, because the disk is full, must not end a service. */
export function descriptorDestination(descriptor: number): DestinationStream {
  const stream = pino.destination({ dest: descriptor, sync: true, maxLength: keptBytesMax });
  stream.on('error', () => undefined);
  return stream;
}
