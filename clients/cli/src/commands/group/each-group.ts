import type { Command, Invocation } from '../../command.js';
import { forEachArgument } from '../../for-each.js';
import { wantsJson } from '../../output/json.js';

/**
 * Does something to each group that is named, and prints its name, or an object with it a line.
 * @param work returns what more there is to say in JSON
 * @returns exit code: 1 if any failed
 */
export function forEachGroup(
  invocation: Invocation,
  command: Command,
  work: (name: string) => Promise<object>,
): Promise<number> {
  return forEachArgument(invocation, command, async (name) => {
    const told = { name, ...(await work(name)) };
    return wantsJson(invocation.options) ? JSON.stringify(told) : name;
  });
}
