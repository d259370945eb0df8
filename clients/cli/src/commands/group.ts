import { commandGroup } from '../command-group.js';
import type { Command } from '../command.js';
import { groupCreate } from './group/create.js';
import { groupFreeze } from './group/freeze.js';
import { groupInspect } from './group/inspect.js';
import { groupKill } from './group/kill.js';
import { groupLs } from './group/ls.js';
import { groupRm } from './group/rm.js';
import { groupThaw } from './group/thaw.js';
import { groupUpdate } from './group/update.js';

export const group: Command = commandGroup({
  name: 'group',
  group: 'containers',
  summary: 'Groups of containers that share limits, and are frozen or killed together',
  subcommands: [
    ...[groupCreate, groupUpdate, groupLs, groupRm, groupInspect],
    ...[groupFreeze, groupThaw, groupKill],
  ],
});
