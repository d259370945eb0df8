import { GroupServiceService } from '@teu/proto/cgroup';
import type { Command } from '../../command.js';
import { formatOption } from '../../output/json.js';
import { forEachGroup } from './each-group.js';

export const groupRm: Command = {
  name: 'group rm',
  group: 'containers',
  summary: 'Remove groups that no container is in',
  usage: 'GROUP...',
  options: [
    { name: 'recursive', short: 'r', kind: 'flag', doc: 'also the groups in it' },
    formatOption,
  ],
  arguments: { min: 1 },
  completes: 'groups',
  examples: [{ command: 'teu group rm -r team', meaning: 'with all groups in it' }],
  run(invocation) {
    const { context, options } = invocation;
    return forEachGroup(invocation, groupRm, (name) =>
      context.services.cgroup.unary(
        GroupServiceService.deleteGroup,
        { name, recursive: options.flag('recursive') },
        { signal: context.abort },
      ),
    );
  },
};
