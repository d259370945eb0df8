import type { Command } from './command.js';
import { commandHelp } from './help.js';

/** A command that consists of others. Alone it says which. */
export function commandGroup(
  parts: Required<Pick<Command, 'name' | 'group' | 'summary' | 'subcommands'>>,
): Command {
  const group: Command = {
    ...parts,
    usage: 'COMMAND',
    options: [],
    arguments: { min: 0, max: 0 },
    completes: 'nothing',
    examples: [],
    async run({ context }) {
      await context.stdout.write(commandHelp(group));
      return 0;
    },
  };
  return group;
}
