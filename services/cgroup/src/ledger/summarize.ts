import { UsageGrouping, type UsageSummary } from '@teu/proto/cgroup';
import type { SqlValue, Store } from '@teu/state';
import { isBelow, withAncestors } from '../domain/group-path.js';
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
  readonly runs: number;
  readonly running: number;
  readonly incomplete: number;
}

type SumRow = Figures & Omit<Sum, 'figures'> & { key: string };
type RunRow = Spread & { key: string; name: string; running: number; incomplete: number };

const NOTHING: Sum = {
  name: '',
  figures: NO_FIGURES,
  runs: 0,
  running: 0,
  incomplete: 0,
};

/** total() is a floating-point sum: one of whole numbers would fail beyond 2^53 in JavaScript. */
const SUM_FIGURES = [
  ...Object.entries(COUNTERS).map(([name, column]) => `total(${column}) AS ${name}`),
  ...Object.entries(PEAKS).map(([name, column]) => `max(${column}) AS ${name}`),
].join(', ');

/** Which sums are wanted. */
export interface SumsPage {
  /** Key that they begin behind; undefined for all. */
  readonly behind: string | undefined;
  /** How many of them, at least; there may be more. */
  readonly size: number;
}

/**
 * Adds runs up, ordered by key. Runs that lie in the span of time as a whole are added by the database, those that
 * cross one of its bounds one by one.
 */
export function summarize(
  store: Store,
  filter: ParsedFilter,
  grouping: Grouping,
  { behind, size }: SumsPage,
): UsageSummary[] {
  const source = sourceOf(grouping);
  const isGroups = grouping.kind === UsageGrouping.USAGE_GROUPING_GROUP;
  // What is in a group has a key behind that of the group, so nothing is missing in what is left.
  const rest = behind === undefined ? [] : [{ sql: `${source.key} > ?`, values: [behind] }];
  const open = all([filter.condition, ...rest]);
  const condition = isGroups ? open : upToKey(store, source, open, size);
  const sums = new Map<string, Sum>();
  const add = (key: string, sum: Sum): void => {
    for (const name of isGroups ? groupsOf(key, filter.group) : [key]) {
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

/** Leaves out what comes after the keys of one page: adding it up would be for nothing. */
function upToKey(
  store: Store,
  { key, from, values }: Source,
  condition: Condition,
  size: number,
): Condition {
  const last = store
    .prepare<{ key: string }>(
      `SELECT DISTINCT ${key} AS key FROM ${from} WHERE ${condition.sql}
       ORDER BY 1 LIMIT 1 OFFSET ?`,
    )
    .get(...values, ...condition.values, size - 1);
  if (last === undefined) return condition;
  return all([condition, { sql: `${key} <= ?`, values: [last.key] }]);
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
      // With "+" no index is used to sort: reading all rows in its order takes twice as long.
      `SELECT +${key} AS key, max(name) AS name, count(*) AS runs, count(*) - count(sequence) AS running, sum(incomplete) AS incomplete,
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
  for (const row of rows) {
    add(row.key, { ...row, figures: shareOf(store, row, window), runs: 1 });
  }
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

/** A group and those that it is in, as far as the filter lets them be seen as a whole. */
function groupsOf(path: string, top: string): string[] {
  if (path === '') return [''];
  return withAncestors(path).filter((name) => name === top || isBelow(name, top));
}

function together(one: Sum, other: Sum): Sum {
  return {
    name: one.name || other.name,
    figures: sumOf(one.figures, other.figures),
    runs: one.runs + other.runs,
    running: one.running + other.running,
    incomplete: one.incomplete + other.incomplete,
  };
}

function summaryOf(key: string, sum: Sum, kind: UsageGrouping): UsageSummary {
  return {
    key,
    name: kind === UsageGrouping.USAGE_GROUPING_CONTAINER ? sum.name : '',
    usage: usageOf(sum.figures, sum.runs),
    runningCount: sum.running,
    incompleteCount: sum.incomplete,
  };
}

/** The order of the database: by bytes. */
function compareBytes(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}
