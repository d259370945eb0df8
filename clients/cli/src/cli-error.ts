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

/**
 * A command that was given wrongly. Ends as with docker: 125 for options that can't be read, 1 for
 * arguments that are missing or too many.
 */
export class UsageError extends CliError {
  constructor(message: string, hint?: string, exitCode = 125) {
    super(message, { ...(hint === undefined ? {} : { hint }), exitCode });
    this.name = 'UsageError';
  }
}
