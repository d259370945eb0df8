import type { Invocation } from './command.js';
import { wantsJson } from './output/json.js';
import { reportError } from './output/report-error.js';
import type { Command } from './command.js';

/**
 * Does something for each argument and prints what it returns. One that fails is told about and does
 * not keep the others from being done, as with docker.
 * @returns exit code: 1 if any failed
 */
export async function forEachArgument(
  invocation: Invocation,
  command: Command,
  work: (argument: string) => Promise<string>,
): Promise<number> {
  let exitCode = 0;
  for (const argument of invocation.args) {
    try {
      await invocation.context.stdout.write(`${await work(argument)}\n`);
    } catch (error) {
      if (invocation.context.abort.aborted) throw error;
      await reportError(invocation.context, error, command);
      exitCode = 1;
    }
  }
  return exitCode;
}

/**
 * Does something to each container that is named, and prints what it was called by, or an object with that a line.
 * @returns exit code: 1 if any failed
 */
export function forEachContainer(
  invocation: Invocation,
  command: Command,
  work: (container: string) => Promise<unknown>,
): Promise<number> {
  return forEachArgument(invocation, command, async (container) => {
    await work(container);
    return wantsJson(invocation.options) ? JSON.stringify({ container }) : container;
  });
}
