import { teuError } from '@teu/errors';
import { parseContainerId, parseGroupName } from '@teu/ids';
import type { WatchStatsRequest } from '@teu/proto/cgroup';

/** A checked request of WatchStats. */
export interface Watch {
  /** Ids of containers; none for all. */
  readonly ids: readonly string[];
  /** Path of a group; empty for all. */
  readonly group: string;
  readonly withGroups: boolean;
  readonly intervalMs: number;
  /** Infinity for no end. */
  readonly sampleCount: number;
}

const IDS_MAX = 10_000;
const DEFAULT_INTERVAL_MS = 1000;
const INTERVAL_MS_MIN = 100;
const INTERVAL_MS_MAX = 24 * 3600 * 1000;

/** @throws INVALID_ARGUMENT, INVALID_ID naming the field that can never be right */
export function parseWatch(request: WatchStatsRequest): Watch {
  const { ids, group, withGroups, sampleCount } = request;
  if (ids.length > IDS_MAX)
    throw invalid('ids', `ids has ${ids.length} entries; ${IDS_MAX} may be named`);
  if (sampleCount < 0) throw invalid('sample_count', `sample_count is ${sampleCount}`);
  return {
    ids: [...new Set(ids.map((id) => parseContainerId(id, 'ids')))],
    group: group === '' ? '' : parseGroupName(group, 'group'),
    withGroups,
    intervalMs: intervalOf(request),
    sampleCount: sampleCount === 0 ? Infinity : sampleCount,
  };
}

function intervalOf({ intervalDuration }: WatchStatsRequest): number {
  if (intervalDuration === undefined) return DEFAULT_INTERVAL_MS;
  const ms = intervalDuration.seconds * 1000 + intervalDuration.nanos / 1e6;
  if (ms >= INTERVAL_MS_MIN && ms <= INTERVAL_MS_MAX) return ms;
  const text = `interval_duration is ${ms} ms; it must be ${INTERVAL_MS_MIN} to ${INTERVAL_MS_MAX}`;
  throw invalid('interval_duration', text);
}

function invalid(field: string, message: string): Error {
  return teuError('INVALID_ARGUMENT', message, { metadata: { field } });
}
