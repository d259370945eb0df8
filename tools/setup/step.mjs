// Steps of the set-up: one line each, with the time it took.

/** Thrown when a step can't be done, with a reason for people; there is no stack to show. */
export class SetupFailure extends Error {
  /**
   * @param {string} message what is wrong
   * @param {string} [hint] what to do about it
   * @param {string} [details] output of the program that failed
   */
  constructor(message, hint, details) {
    super(message);
    this.hint = hint;
    this.details = details;
  }
}

/**
 * Runs one step and prints one line about it.
 * @param {string} title what the step does
 * @param {() => Promise<string | undefined>} work returns what it did, or undefined if nothing was to do
 */
export async function step(title, work) {
  const begin = performance.now();
  const terminal = process.stdout.isTTY;
  if (terminal) process.stdout.write(`  … ${title}`);
  const seconds = () => `${((performance.now() - begin) / 1000).toFixed(1)} s`;
  const line = (text) => process.stdout.write(`${terminal ? '\r\u001b[K' : ''}${text}\n`);
  try {
    const done = await work();
    line(`  ok  ${title}${done === undefined ? '' : `: ${done}`} (${seconds()})`);
  } catch (error) {
    line(`  FAILED  ${title} (${seconds()})`);
    throw error;
  }
}

/** Prints why a set-up failed and returns the exit code. */
export function reportFailure(error) {
  if (!(error instanceof SetupFailure)) {
    process.stderr.write(`\n${error?.stack ?? error}\n`);
    return 1;
  }
  if (error.details) process.stderr.write(`\n${error.details.trimEnd()}\n`);
  process.stderr.write(`\n${error.message}\n`);
  if (error.hint) process.stderr.write(`  ${error.hint}\n`);
  return 1;
}
