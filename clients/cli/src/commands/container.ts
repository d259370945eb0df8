import type { Command } from '../command.js';
import { commandGroup } from '../command-group.js';
import { commit } from './commit.js';
import { diff } from './diff.js';
import { exportTree } from './export.js';

/** Docker has two words for some commands; the long one is the short one by another name. */
const alias = (command: Command, name: string): Command => ({ ...command, name });

export const container: Command = commandGroup({
  name: 'container',
  group: 'containers',
  summary: 'The same as the commands without it: commit, diff, export',
  subcommands: [
    alias(commit, 'container commit'),
    alias(diff, 'container diff'),
    alias(exportTree, 'container export'),
  ],
});
