import { GroupServiceService } from '@teu/proto/cgroup';
import type { Command } from '../../command.js';
import { formatOption } from '../../output/json.js';
import { forEachGroup } from './each-group.js';
import { forceTimeoutMs } from './timeouts.js';

export const groupKill: Command = {
  name: 'group kill',
  group: 'containers',
  summary: 'Kill all processes of groups at once',
  usage: 'GROUP...',
  options: [formatOption],
  arguments: { min: 1 },
  completes: 'groups',
  examples: [{ command: 'teu group kill team', meaning: 'also those that fork meanwhile' }],
  run(invocation) {
    const { context } = invocation;
    return forEachGroup(invocation, groupKill, (name) =>
      context.services.cgroup.unary(
        GroupServiceService.killGroup,
        { name },
        { timeoutMs: forceTimeoutMs, signal: context.abort },
      ),
    );
  },
};
