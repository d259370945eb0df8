export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** `err` is special: any error, written as its chain of causes. Names are lower_snake_case. */
export type LogFields = Record<string, unknown>;

interface LogMethod {
  (fields: LogFields, message: string): void;
  (message: string): void;
}

/** What the code logs to; pino is one, a test may bring another. */
export interface Logger {
  level: string;
  trace: LogMethod;
  debug: LogMethod;
  info: LogMethod;
  warn: LogMethod;
  error: LogMethod;
  fatal: LogMethod;
  /** A logger that adds these fields to each line. Costs about a microsecond: not per call unless used. */
  child(fields: LogFields): Logger;
}

const nothing = (): void => undefined;

/** Drops everything. */
export const silentLogger: Logger = {
  level: 'silent',
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  fatal: nothing,
  child: () => silentLogger,
};
