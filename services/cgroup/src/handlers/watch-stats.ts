import type { WatchStatsRequest, WatchStatsResponse } from '@teu/proto/cgroup';
import type { CallContext } from '@teu/rpc';
import type { CgroupParts } from '../cgroup-parts.js';
import type { StatsWatches } from '../stats/stats-watches.js';
import { parseWatch } from '../stats/watch-request.js';

export async function* watchStats(
  { groups }: Pick<CgroupParts, 'groups'>,
  watches: StatsWatches,
  request: WatchStatsRequest,
  { signal }: CallContext,
): AsyncGenerator<WatchStatsResponse> {
  const watch = parseWatch(request);
  if (watch.group !== '') groups.ensure(watch.group);
  yield* watches.watch(watch, signal);
}
