import { Group } from '@teu/proto/cgroup';
import type { Command } from '../../command.js';
import { memorySize } from '../../output/for-people.js';
import { formatOption, jsonDocument, wantsJson } from '../../output/json.js';
import { formatTable } from '../../output/table.js';
import { listGroups } from './list-groups.js';

const header = [
  ...['NAME', 'STATE', 'CONTAINERS', 'GROUPS', 'PROCESSES'],
  ...['CPUS', 'MEMORY', 'PIDS LIMIT'],
];
const noLimit = '-';
const usualPeriod = 100_000;

/** Processors that a quota amounts to. */
function cpusOf({ resources }: Group): string {
  const { quota = -1, period = usualPeriod } = resources?.cpu ?? {};
  return quota < 0 ? noLimit : String(Number((quota / period).toFixed(2)));
}

function limitOf(limit: number | undefined, words: (limit: number) => string): string {
  return limit === undefined || limit < 0 ? noLimit : words(limit);
}

function row(group: Group): string[] {
  return [
    group.name,
    group.frozen ? 'frozen' : 'open',
    String(group.containerCount),
    String(group.groupCount),
    String(group.processCount),
    cpusOf(group),
    limitOf(group.resources?.memory?.limit, memorySize),
    limitOf(group.resources?.pids?.limit, String),
  ];
}

export const groupLs: Command = {
  name: 'group ls',
  group: 'containers',
  summary: 'List groups, all or those in one',
  usage: '[GROUP]',
  options: [{ name: 'quiet', short: 'q', kind: 'flag', doc: 'names only' }, formatOption],
  arguments: { min: 0, max: 1 },
  completes: 'groups',
  examples: [{ command: 'teu group ls team', meaning: 'the groups in it' }],
  async run({ context, options, args }) {
    const groups = await listGroups(context, args[0]);
    if (wantsJson(options)) {
      await context.stdout.write(jsonDocument(groups.map((group) => Group.toJSON(group))));
    } else if (options.flag('quiet')) {
      await context.stdout.write(groups.map(({ name }) => `${name}\n`).join(''));
    } else {
      await context.stdout.write(formatTable(header, groups.map(row)));
    }
    return 0;
  },
};
