/** What a command can't do, in words for the one who gave it. */
export class CliError extends Error {
  /** What to do about it. */
  readonly hint: string | undefined;
  readonly exitCode: number | undefined;

  constructor(
    message: string,
    options: { hint?: string; exitCode?: number; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'CliError';
    this.hint = options.hint;
    this.exitCode = options.exitCode;
  }
}

/** A command that was given wrongly; ends with 125, as docker does for options it can't read. */
export class UsageError extends CliError {
  constructor(message: string, hint?: string) {
    super(message, { ...(hint === undefined ? {} : { hint }), exitCode: 125 });
    this.name = 'UsageError';
  }
}
