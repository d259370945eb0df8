import { teuError } from '@teu/errors';
import type { UsageFilter } from '@teu/proto/cgroup';
import type { SqlValue, Store } from '@teu/state';

/** A part of a WHERE clause over usage_runs, and what its question marks stand for. */
export interface Condition {
  readonly sql: string;
  readonly values: readonly SqlValue[];
}

/** A span of time in milliseconds since 1970; open where there is no bound. */
export interface Window {
  readonly since: number;
  readonly until: number;
}

/** A filter that was checked. */
export interface ParsedFilter {
  readonly window: Window;
  readonly condition: Condition;
  /** Group that all are in or below; empty for any. */
  readonly group: string;
  readonly withRunning: boolean;
}

const LONGEST_TEXT = 4096;
const MOST_LABELS = 64;

/**
 * Checks a filter and says it in SQL.
 * @throws INVALID_ARGUMENT
 */
export function parseFilter(store: Store, filter: UsageFilter): ParsedFilter {
  const { since, until, container, image, group, labels, withRunning } = filter;
  const window = parseWindow(since, until);
  for (const [field, text] of Object.entries({ container, image, group })) {
    if (text.length > LONGEST_TEXT) throw invalid(field, `is longer than ${LONGEST_TEXT}`);
  }
  const wanted = Object.entries(labels);
  if (wanted.length > MOST_LABELS) throw invalid('labels', `are more than ${MOST_LABELS}`);
  const condition = all([
    inWindow(window),
    ...(withRunning ? [] : [{ sql: 'sequence IS NOT NULL', values: [] }]),
    ...(container === '' ? [] : [ofContainer(store, container)]),
    ...(image === '' ? [] : [{ sql: '(image = ? OR image_id = ?)', values: [image, image] }]),
    ...(group === '' ? [] : [inGroup(group)]),
    ...wanted.map(([key, value]) => withLabel(key, value)),
  ]);
  return { window, condition, group, withRunning };
}

/** All of these. */
export function all(conditions: readonly Condition[]): Condition {
  return {
    sql: conditions.map(({ sql }) => sql).join(' AND ') || '1',
    values: conditions.flatMap(({ values }) => values),
  };
}

function parseWindow(from: Date | undefined, to: Date | undefined): Window {
  const since = from?.getTime() ?? -Infinity;
  const until = to?.getTime() ?? Infinity;
  if (Number.isNaN(since) || Number.isNaN(until)) throw invalid('since', 'is no time');
  if (since > until) throw invalid('since', 'is after until');
  return { since, until };
}

/** Runs of which a part lies in it. One that took no time at all is where it began. */
function inWindow({ since, until }: Window): Condition {
  return all([
    ...(since === -Infinity
      ? []
      : [{ sql: '(end_time > ? OR start_time >= ?)', values: [since, since] }]),
    ...(until === Infinity ? [] : [{ sql: 'start_time < ?', values: [until] }]),
  ]);
}

/** A name goes before the beginning of an id. */
function ofContainer(store: Store, container: string): Condition {
  const named = store.prepare('SELECT 1 FROM usage_runs WHERE name = ? LIMIT 1').get(container);
  if (named !== undefined || !/^[0-9a-f]{1,64}$/.test(container)) {
    return { sql: 'name = ?', values: [container] };
  }
  // "g" comes after all digits of an id.
  return { sql: 'container_id >= ? AND container_id < ?', values: [container, `${container}g`] };
}

/** "0" comes after "/", and nothing of a path between them. */
function inGroup(group: string): Condition {
  return {
    sql: '(group_path = ? OR (group_path >= ? AND group_path < ?))',
    values: [group, `${group}/`, `${group}0`],
  };
}

function withLabel(key: string, value: string): Condition {
  const labelled = 'SELECT 1 FROM usage_labels WHERE usage_labels.run_id = usage_runs.run_id';
  return value === ''
    ? { sql: `EXISTS (${labelled} AND key = ?)`, values: [key] }
    : { sql: `EXISTS (${labelled} AND key = ? AND value = ?)`, values: [key, value] };
}

function invalid(field: string, problem: string): Error {
  return teuError('INVALID_ARGUMENT', `filter.${field} ${problem}`, {
    metadata: { field: `filter.${field}` },
  });
}
