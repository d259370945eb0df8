import { clock } from '@teu/ids';
import { UsageFilter, UsageGrouping } from '@teu/proto/cgroup';
import { UsageError } from '../cli-error.js';
import type { OptionSpec, ParsedOptions } from './parse-options.js';
import { parseTime } from './quantities.js';

/** Options that say which runs. */
export const usageFilterOptions: readonly OptionSpec[] = [
  {
    name: 'since',
    kind: 'value',
    value: 'TIME',
    doc: 'only what was used since; 24h for a day ago',
  },
  { name: 'until', kind: 'value', value: 'TIME', doc: 'only what was used before' },
  {
    ...{ name: 'container', kind: 'value', value: 'CONTAINER', completes: 'containers' },
    doc: 'only of this container: its name, its id or the begin of it; also one that is removed',
  },
  {
    ...{ name: 'image', kind: 'value', value: 'IMAGE', completes: 'images' },
    doc: 'only of this image, as it was asked for, or by its id',
  },
  {
    ...{ name: 'group', kind: 'value', value: 'GROUP', completes: 'groups' },
    doc: 'only in this group, or below',
  },
  { name: 'label', kind: 'list', value: 'NAME[=VALUE]', doc: 'only with this label' },
  { name: 'running', kind: 'flag', doc: 'also runs that have not ended' },
];

/** Which runs the options ask for. */
export function usageFilterOf(options: ParsedOptions): UsageFilter {
  const now = clock.now();
  const time = (name: string): Date | undefined => {
    const text = options.value(name);
    return text === undefined ? undefined : parseTime(text, `--${name}`, now);
  };
  const since = time('since');
  const until = time('until');
  if (since !== undefined && until !== undefined && since > until) {
    throw new UsageError('--since is later than --until', 'the earlier of the two is --since');
  }
  return UsageFilter.create({
    since,
    until,
    container: options.value('container') ?? '',
    image: options.value('image') ?? '',
    group: options.value('group') ?? '',
    labels: Object.fromEntries(options.list('label').map(labelOf)),
    withRunning: options.flag('running'),
  });
}

function labelOf(text: string): [string, string] {
  const [, name = '', , value = ''] = /^([^=]*)(=(.*))?$/s.exec(text) ?? [];
  if (name === '') {
    throw new UsageError(`invalid label "${text}"`, 'it is NAME, or NAME=VALUE');
  }
  return [name, value];
}

/** What sums are by. */
export interface UsageGroups {
  readonly grouping: UsageGrouping;
  /** Name of the label; empty for the others. */
  readonly label: string;
}

const groupings: Readonly<Record<string, UsageGrouping>> = {
  container: UsageGrouping.USAGE_GROUPING_CONTAINER,
  image: UsageGrouping.USAGE_GROUPING_IMAGE,
  group: UsageGrouping.USAGE_GROUPING_GROUP,
};

/** What `--group-by` may be. */
export const groupByWords = [...Object.keys(groupings), 'label='];

/** Reads `--group-by`. */
export function parseGroupBy(text: string): UsageGroups {
  const grouping = groupings[text];
  if (grouping !== undefined) return { grouping, label: '' };
  const label = /^label=(.+)$/s.exec(text)?.[1];
  if (label !== undefined) return { grouping: UsageGrouping.USAGE_GROUPING_LABEL, label };
  throw new UsageError(
    `invalid value "${text}" for --group-by`,
    'it can be container, image, group or label=NAME',
  );
}
