import { totalmem } from 'node:os';
import { isTeuError } from '@teu/errors';
import type { StatsEntry, WatchStatsRequest } from '@teu/proto/cgroup';
import { CliError, UsageError } from '../cli-error.js';
import type { Command, Invocation } from '../command.js';
import { parseSpan } from '../options/quantities.js';
import { formatOption, jsonLine, wantsJson } from '../output/json.js';
import { formatTable } from '../output/table.js';
import { ContainerNames } from '../stats/container-names.js';
import { LiveTable } from '../stats/live-table.js';
import { readSamples } from '../stats/read-samples.js';
import { AllContainers, idOfRunning } from '../stats/select-containers.js';
import { usageCells, usageHeader, usageLine, type UsageLine } from '../stats/usage-line.js';

const defaultIntervalMs = 1000;
/** The service's own bounds. */
const intervalMs = { min: 100, max: 24 * 3600 * 1000 };
/** Two samples tell what goes on between them. */
const onceCount = 2;
const onceIntervalMs = 500;

/** What the service is asked for. */
async function requestOf({
  context,
  options,
  args,
}: Invocation): Promise<Partial<WatchStatsRequest>> {
  const group = options.value('group') ?? '';
  if (group !== '' && args.length > 0) {
    throw new UsageError('containers and --group cannot be given together');
  }
  const asked = options.value('interval');
  const isOnce = options.flag('no-stream');
  const usual = isOnce ? onceIntervalMs : defaultIntervalMs;
  const ms =
    asked === undefined ? usual : parseSpan(asked, '--interval', intervalMs.min, intervalMs.max);
  const seconds = Math.floor(ms / 1000);
  return {
    // Of those that do not run nobody knows when they will: they are picked out of all.
    ids: options.flag('all')
      ? []
      : await Promise.all(args.map((name) => idOfRunning(context, name))),
    ...{ group, withGroups: group !== '', sampleCount: isOnce ? onceCount : 0 },
    intervalDuration: { seconds, nanos: Math.round((ms - seconds * 1000) * 1e6) },
  };
}

function linesOf(
  entries: readonly StatsEntry[],
  before: ReadonlyMap<string, StatsEntry>,
): UsageLine[] {
  const hostBytes = totalmem();
  return entries.flatMap((entry) => usageLine(entry, before.get(keyOf(entry)), hostBytes) ?? []);
}

/** In the order of names, groups first. */
function inOrder(lines: readonly UsageLine[]): UsageLine[] {
  const rank = ({ containerId, name, group }: UsageLine) =>
    containerId === '' ? `0${group}` : `1${name}`;
  return lines.toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1));
}

const keyOf = ({ containerId, group }: StatsEntry): string => containerId || `group ${group}`;

function tableOf(lines: readonly UsageLine[], full: boolean): string {
  const withPressure = lines.some(({ stats }) => stats?.pressure !== undefined);
  const rows = lines.map((line) => usageCells(line, withPressure, full));
  return formatTable(usageHeader(withPressure), rows);
}

async function follow(invocation: Invocation, request: Partial<WatchStatsRequest>): Promise<void> {
  const { context, options, args } = invocation;
  const names = new ContainerNames(context);
  const table = new LiveTable(context.stdout, context.terminal);
  const isOnce = options.flag('no-stream');
  const all = options.flag('all')
    ? await AllContainers.named(context, args, request.group ?? '')
    : undefined;
  let before: ReadonlyMap<string, StatsEntry> = new Map();
  let count = 0;
  for await (const sample of readSamples(context, request)) {
    count += 1;
    const entries = (await names.named(sample)).filter((entry) => all?.has(entry) ?? true);
    const measured = linesOf(entries, before);
    before = new Map(entries.map((entry) => [keyOf(entry), entry]));
    if (isOnce && count < onceCount) continue;
    const ids = new Set(measured.map(({ containerId }) => containerId));
    const lines = inOrder([...measured, ...((await all?.others(ids)) ?? [])]);
    if (wantsJson(options)) await context.stdout.write(lines.map(jsonLine).join(''));
    else await table.show(tableOf(lines, options.flag('no-trunc')));
    // All that were named have ended; or are removed, where those are shown as well.
    if (args.length > 0 && (all === undefined ? sample : lines).length === 0) return;
  }
}

export const stats: Command = {
  name: 'stats',
  group: 'containers',
  summary: 'Show what containers use, as it changes',
  usage: '[CONTAINER...]',
  options: [
    { name: 'all', short: 'a', kind: 'flag', doc: 'also those that do not run, with dashes' },
    { name: 'no-trunc', kind: 'flag', doc: 'whole ids' },
    { name: 'no-stream', kind: 'flag', doc: 'show it once, measured over half a second' },
    {
      ...{ name: 'interval', kind: 'value', value: 'TIME' },
      doc: 'time between two samples, for example 500ms; usual is 1s',
    },
    {
      ...{ name: 'group', kind: 'value', value: 'NAME', completes: 'groups' },
      doc: 'only what is in this group of containers, and its sum',
    },
    formatOption,
  ],
  arguments: { min: 0 },
  completes: 'running',
  examples: [
    { command: 'teu stats', meaning: 'all that run, until it is interrupted' },
    { command: 'teu stats --no-stream --format json web', meaning: 'one, once, a line of JSON' },
  ],
  async run(invocation) {
    const request = await requestOf(invocation);
    try {
      await follow(invocation, request);
    } catch (error) {
      if (!isTeuError(error, 'CGROUP_NOT_FOUND')) throw error;
      throw new CliError('a container has ended meanwhile', { cause: error });
    }
    return 0;
  },
};
