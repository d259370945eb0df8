import { GroupServiceService } from '@teu/proto/cgroup';
import type { Command } from '../../command.js';
import { formatOption } from '../../output/json.js';
import { forEachGroup } from './each-group.js';
import { forceTimeoutMs } from './timeouts.js';

export const groupThaw: Command = {
  name: 'group thaw',
  group: 'containers',
  summary: 'Let frozen groups run again',
  usage: 'GROUP...',
  options: [formatOption],
  arguments: { min: 1 },
  completes: 'groups',
  examples: [{ command: 'teu group thaw team', meaning: 'paused containers of it stay so' }],
  run(invocation) {
    const { context } = invocation;
    return forEachGroup(invocation, groupThaw, (name) =>
      context.services.cgroup.unary(
        GroupServiceService.thawGroup,
        { name },
        { timeoutMs: forceTimeoutMs, signal: context.abort },
      ),
    );
  },
};
