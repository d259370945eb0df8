import { Group, GroupServiceService } from '@teu/proto/cgroup';
import type { Command } from '../../command.js';
import { formatOption, jsonDocument } from '../../output/json.js';
import { reportError } from '../../output/report-error.js';

export const groupInspect: Command = {
  name: 'group inspect',
  group: 'containers',
  summary: 'Describe groups in JSON',
  usage: 'GROUP...',
  options: [formatOption],
  arguments: { min: 1 },
  completes: 'groups',
  examples: [{ command: 'teu group inspect team | jq .[0].resources', meaning: 'its limits' }],
  async run({ context, args }) {
    const { cgroup } = context.services;
    const found: unknown[] = [];
    let exitCode = 0;
    for (const name of args) {
      try {
        const options = { signal: context.abort };
        const { group } = await cgroup.unary(GroupServiceService.getGroup, { name }, options);
        if (group !== undefined) found.push(Group.toJSON(group));
      } catch (error) {
        if (context.abort.aborted) throw error;
        await reportError(context, error, groupInspect);
        exitCode = 1;
      }
    }
    await context.stdout.write(jsonDocument(found));
    return exitCode;
  },
};
