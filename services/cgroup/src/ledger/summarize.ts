import { UsageGrouping, type UsageSummary } from '@teu/proto/cgroup';
import type { SqlValue, Store } from '@teu/state';
import { all, type Condition, type ParsedFilter, type Window } from '../store/usage-filter.js';
import {
  COUNTERS,
  NO_FIGURES,
  PEAKS,
  SELECT_FIGURES,
  sumOf,
  usageOf,
  type Figures,
} from './figures.js';
import { shareOf, type Spread } from './windows.js';

/** By what runs are added up. */
export interface Grouping {
  readonly kind: UsageGrouping;
  /** Name of the label, with USAGE_GROUPING_LABEL. */
  readonly label: string;
}

/** Runs of one key, added up. */
interface Sum {
  readonly name: string;
  readonly figures: Figures;
  readonly wallMs: number;
  readonly runs: number;
  readonly running: number;
  readonly incomplete: number;
}

type SumRow = Figures & Omit<Sum, 'figures'> & { key: string };
type RunRow = Spread & { key: string; name: string; running: number; incomplete: number };

const NOTHING: Sum = {
  name: '',
  figures: NO_FIGURES,
  wallMs: 0,
  runs: 0,
  running: 0,
  incomplete: 0,
};

/** total() is a floating-point sum: one of whole numbers would fail beyond 2^53 in JavaScript. */
const SUM_FIGURES = [
  ...Object.entries(COUNTERS).map(([name, column]) => `total(${column}) AS ${name}`),
  ...Object.entries(PEAKS).map(([name, column]) => `max(${column}) AS ${name}`),
].join(', ');

/**
 * Adds runs up, ordered by key. Runs that lie in the span of time as a whole are added by the database, those that
 * cross one of its bounds one by one.
 *
 * @param behind key that the answer begins behind; undefined for all
 */
export function summarize(
  store: Store,
  filter: ParsedFilter,
  grouping: Grouping,
  behind: string | undefined,
): UsageSummary[] {
  const source = sourceOf(grouping);
  const isGroups = grouping.kind === UsageGrouping.USAGE_GROUPING_GROUP;
  // What is in a group has a key behind that of the group, so nothing is missing in what is left.
  const rest = behind === undefined ? [] : [{ sql: `${source.key} > ?`, values: [behind] }];
  const condition = all([filter.condition, ...rest]);
  const sums = new Map<string, Sum>();
  const add = (key: string, sum: Sum): void => {
    for (const name of isGroups ? withAncestors(key, filter.group) : [key]) {
      sums.set(name, together(sums.get(name) ?? NOTHING, sum));
    }
  };
  addWhole(store, source, all([condition, whole(filter.window)]), add);
  if (isBounded(filter.window)) {
    addCrossing(store, source, all([condition, crossing(filter.window)]), filter.window, add);
  }
  return [...sums]
    .filter(([key]) => behind === undefined || compareBytes(key, behind) > 0)
    .sort(([one], [other]) => compareBytes(one, other))
    .map(([key, sum]) => summaryOf(key, sum, grouping.kind));
}

interface Source {
  readonly key: string;
  readonly from: string;
  readonly values: readonly SqlValue[];
}

function sourceOf({ kind, label }: Grouping): Source {
  const from = 'usage_runs';
  switch (kind) {
    case UsageGrouping.USAGE_GROUPING_CONTAINER:
      return { key: 'container_id', from, values: [] };
    case UsageGrouping.USAGE_GROUPING_IMAGE:
      return { key: 'image', from, values: [] };
    case UsageGrouping.USAGE_GROUPING_GROUP:
      return { key: 'group_path', from, values: [] };
    case UsageGrouping.USAGE_GROUPING_LABEL:
      return {
        key: `coalesce(grouped.value, '')`,
        from: `usage_runs LEFT JOIN usage_labels AS grouped
                 ON grouped.run_id = usage_runs.run_id AND grouped.key = ?`,
        values: [label],
      };
    default:
      return { key: `''`, from, values: [] };
  }
}

function addWhole(
  store: Store,
  { key, from, values }: Source,
  condition: Condition,
  add: (key: string, sum: Sum) => void,
): void {
  const rows = store
    .prepare<SumRow>(
      `SELECT ${key} AS key, max(name) AS name, total(end_time - start_time) AS wallMs,
         count(*) AS runs, count(*) - count(sequence) AS running, sum(incomplete) AS incomplete,
         ${SUM_FIGURES}
       FROM ${from} WHERE ${condition.sql} GROUP BY 1`,
    )
    .all(...values, ...condition.values);
  for (const row of rows) add(row.key, { ...row, figures: row });
}

function addCrossing(
  store: Store,
  { key, from, values }: Source,
  condition: Condition,
  window: Window,
  add: (key: string, sum: Sum) => void,
): void {
  const rows = store
    .prepare<RunRow>(
      `SELECT ${key} AS key, name, sequence IS NULL AS running, incomplete,
         usage_runs.run_id AS runId, start_time AS startTime, end_time AS endTime, ${SELECT_FIGURES}
       FROM ${from} WHERE ${condition.sql}`,
    )
    .all(...values, ...condition.values);
  for (const row of rows) add(row.key, { ...row, ...shareOf(store, row, window), runs: 1 });
}

function isBounded({ since, until }: Window): boolean {
  return since !== -Infinity || until !== Infinity;
}

function whole({ since, until }: Window): Condition {
  return all([
    ...(since === -Infinity ? [] : [{ sql: 'start_time >= ?', values: [since] }]),
    ...(until === Infinity ? [] : [{ sql: 'end_time <= ?', values: [until] }]),
  ]);
}

function crossing(window: Window): Condition {
  const { sql, values } = whole(window);
  return { sql: `NOT (${sql})`, values };
}

/** A path and those above it, as far as the filter lets them be seen as a whole. */
function withAncestors(path: string, top: string): string[] {
  const names = path.split('/');
  const paths = names.map((_, index) => names.slice(0, index + 1).join('/'));
  return paths.filter((each) => top === '' || each === top || each.startsWith(`${top}/`));
}

function together(one: Sum, other: Sum): Sum {
  return {
    name: one.name || other.name,
    figures: sumOf(one.figures, other.figures),
    wallMs: one.wallMs + other.wallMs,
    runs: one.runs + other.runs,
    running: one.running + other.running,
    incomplete: one.incomplete + other.incomplete,
  };
}

function summaryOf(key: string, sum: Sum, kind: UsageGrouping): UsageSummary {
  return {
    key,
    name: kind === UsageGrouping.USAGE_GROUPING_CONTAINER ? sum.name : '',
    usage: usageOf(sum.figures, sum.wallMs, sum.runs),
    runningCount: sum.running,
    incompleteCount: sum.incomplete,
  };
}

/** The order of the database: by bytes. */
function compareBytes(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}
