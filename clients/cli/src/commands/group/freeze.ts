import { GroupServiceService } from '@teu/proto/cgroup';
import type { Command } from '../../command.js';
import { formatOption } from '../../output/json.js';
import { forEachGroup } from './each-group.js';
import { forceTimeoutMs } from './timeouts.js';

export const groupFreeze: Command = {
  name: 'group freeze',
  group: 'containers',
  summary: 'Stop all processes of groups from running',
  usage: 'GROUP...',
  options: [formatOption],
  arguments: { min: 1 },
  completes: 'groups',
  examples: [{ command: 'teu group freeze team', meaning: 'all containers of it stand still' }],
  run(invocation) {
    const { context } = invocation;
    return forEachGroup(invocation, groupFreeze, (name) =>
      context.services.cgroup.unary(
        GroupServiceService.freezeGroup,
        { name },
        { timeoutMs: forceTimeoutMs, signal: context.abort },
      ),
    );
  },
};
