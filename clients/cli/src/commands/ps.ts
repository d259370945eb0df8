import { clock } from '@teu/ids';
import { Container, ContainerState } from '@teu/proto/engine';
import { UsageError } from '../cli-error.js';
import type { Command, Invocation } from '../command.js';
import { listContainers } from '../list-pages.js';
import { shortId, shorten, timeAgo, timeSpan } from '../output/for-people.js';
import { formatOption, jsonDocument, wantsJson } from '../output/json.js';
import { formatTable } from '../output/table.js';

const header = ['CONTAINER ID', 'IMAGE', 'COMMAND', 'CREATED', 'STATUS', 'NAMES'];
const commandWidth = 20;

/** What a container is doing, in docker's words. */
export function containerStatus(container: Container, now: Date): string {
  switch (container.state) {
    case ContainerState.CONTAINER_STATE_RUNNING:
      return `Up ${timeSpan(now.getTime() - (container.startTime ?? now).getTime())}${container.paused ? ' (Paused)' : ''}`;
    case ContainerState.CONTAINER_STATE_EXITED: {
      const code = String(container.exit?.exitCode ?? 255);
      return `Exited (${code}) ${timeAgo(container.exit?.exitTime, now)}`.trimEnd();
    }
    case ContainerState.CONTAINER_STATE_CREATED:
      return 'Created';
    case ContainerState.CONTAINER_STATE_REMOVING:
      return 'Removal In Progress';
    default:
      return 'Unknown';
  }
}

const stateNames: Readonly<Record<string, ContainerState>> = {
  created: ContainerState.CONTAINER_STATE_CREATED,
  running: ContainerState.CONTAINER_STATE_RUNNING,
  exited: ContainerState.CONTAINER_STATE_EXITED,
  removing: ContainerState.CONTAINER_STATE_REMOVING,
};

interface Selection {
  readonly labels: Record<string, string>;
  readonly all: boolean;
  readonly matches: (container: Container) => boolean;
}

function selectionOf({ options }: Invocation): Selection {
  const labels: Record<string, string> = {};
  const tests: ((container: Container) => boolean)[] = [];
  let all = options.flag('all');
  for (const filter of options.list('filter')) {
    const [, key = '', wanted = ''] = /^([^=]+)=(.*)$/s.exec(filter) ?? [];
    if (key === 'label') {
      const [, name = wanted, labelValue = ''] = /^([^=]+)=(.*)$/s.exec(wanted) ?? [];
      labels[name] = labelValue;
    } else if (key === 'name') {
      tests.push((container) => container.name.includes(wanted));
    } else if (key === 'id') {
      tests.push((container) => container.id.startsWith(wanted));
    } else if (key === 'driver') {
      tests.push((container) => container.driver === wanted);
    } else if (key === 'group') {
      tests.push(({ spec }) => `${spec?.group ?? ''}/`.startsWith(`${wanted}/`));
    } else if (key === 'status' && stateNames[wanted] !== undefined) {
      all = true;
      tests.push(({ state, paused }) => state === stateNames[wanted] && !paused);
    } else if (key === 'status' && wanted === 'paused') {
      tests.push((container) => container.paused);
    } else {
      throw new UsageError(
        `invalid filter "${filter}"`,
        'filters are label=NAME, label=NAME=VALUE, name=PART, id=PREFIX, driver=NAME, group=NAME and status=created, running, paused or exited',
      );
    }
  }
  return { labels, all, matches: (container) => tests.every((test) => test(container)) };
}

function row(container: Container, full: boolean, now: Date): string[] {
  const words = [...(container.spec?.entrypoint?.values ?? []), ...(container.spec?.args ?? [])];
  const command = words.join(' ').replaceAll(/\s+/g, ' ');
  return [
    full ? container.id : shortId(container.id),
    container.spec?.image ?? '',
    `"${full ? command : shorten(command, commandWidth)}"`,
    timeAgo(container.createTime, now),
    containerStatus(container, now),
    container.name,
  ];
}

export const ps: Command = {
  name: 'ps',
  group: 'containers',
  summary: 'List containers',
  usage: '',
  options: [
    { name: 'all', short: 'a', kind: 'flag', doc: 'also those that do not run' },
    { name: 'quiet', short: 'q', kind: 'flag', doc: 'ids only' },
    { name: 'filter', short: 'f', kind: 'list', value: 'KEY=VALUE', doc: 'only those that match' },
    { name: 'no-trunc', kind: 'flag', doc: 'whole ids and commands' },
    formatOption,
  ],
  arguments: { min: 0, max: 0 },
  completes: 'nothing',
  examples: [
    { command: 'teu ps -a', meaning: 'all, also those that have ended' },
    { command: 'teu ps --filter label=app=web', meaning: 'by label' },
  ],
  async run(invocation) {
    const { context, options } = invocation;
    const { labels, all, matches } = selectionOf(invocation);
    const containers = (await listContainers(context, { labels, all })).filter(matches);
    const full = options.flag('no-trunc');
    const now = clock.now();
    if (wantsJson(options)) {
      await context.stdout.write(jsonDocument(containers.map((item) => Container.toJSON(item))));
    } else if (options.flag('quiet')) {
      const ids = containers.map(({ id }) => `${full ? id : shortId(id)}\n`);
      await context.stdout.write(ids.join(''));
    } else {
      const rows = containers.map((container) => row(container, full, now));
      await context.stdout.write(formatTable(header, rows));
    }
    return 0;
  },
};
