import { Group, GroupServiceService } from '@teu/proto/cgroup';
import type { Command } from '../../command.js';
import { forEachArgument } from '../../for-each.js';
import { resourceOptions, resourcesOf } from '../../options/resource-options.js';
import { formatOption, wantsJson } from '../../output/json.js';

/** The kernel frees what a lower limit of memory leaves no room for, in seconds for gigabytes. */
const TIMEOUT_MS = 60_000;

export const groupUpdate: Command = {
  name: 'group update',
  group: 'containers',
  summary: 'Change limits of groups, also while containers run in them',
  usage: 'GROUP...',
  options: [...resourceOptions, formatOption],
  arguments: { min: 1 },
  completes: 'groups',
  examples: [{ command: 'teu group update --cpus 4 team', meaning: 'the other limits stay' }],
  async run(invocation) {
    const { context, options } = invocation;
    const resources = await resourcesOf(invocation);
    return forEachArgument(invocation, groupUpdate, async (name) => {
      const { group = Group.create() } = await context.services.cgroup.unary(
        GroupServiceService.updateGroup,
        { name, resources },
        { signal: context.abort, timeoutMs: TIMEOUT_MS },
      );
      return wantsJson(options) ? JSON.stringify(Group.toJSON(group)) : group.name;
    });
  },
};
