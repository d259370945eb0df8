import { Group, GroupServiceService } from '@teu/proto/cgroup';
import type { Command } from '../../command.js';
import { parseLabels } from '../../options/environment.js';
import { checkNewLimits, resourceOptions, resourcesOf } from '../../options/resource-options.js';
import { formatOption, jsonDocument, wantsJson } from '../../output/json.js';

export const groupCreate: Command = {
  name: 'group create',
  group: 'containers',
  summary: 'Make a group: the containers in it share its limits',
  usage: 'GROUP',
  options: [
    ...resourceOptions,
    { name: 'label', short: 'l', kind: 'list', value: 'NAME=VALUE', doc: 'label of the group' },
    formatOption,
  ],
  arguments: { min: 1, max: 1 },
  completes: 'nothing',
  examples: [
    { command: 'teu group create --memory 1g --cpus 2 team', meaning: 'a budget for several' },
    { command: 'teu group create --pids-limit 100 team/build', meaning: 'a smaller one within' },
    { command: 'teu run --group team/build busybox true', meaning: 'a container that shares both' },
  ],
  async run(invocation) {
    const { context, options, args } = invocation;
    const resources = await resourcesOf(invocation);
    checkNewLimits(resources);
    const labels = parseLabels(options.list('label'));
    const { group = Group.create() } = await context.services.cgroup.unary(
      GroupServiceService.createGroup,
      { name: args[0] ?? '', resources, labels },
      { signal: context.abort },
    );
    const text = wantsJson(options) ? jsonDocument(Group.toJSON(group)) : `${group.name}\n`;
    await context.stdout.write(text);
    return 0;
  },
};
