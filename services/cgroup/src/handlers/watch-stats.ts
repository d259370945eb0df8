import type { WatchStatsRequest, WatchStatsResponse } from '@teu/proto/cgroup';
import type { CallContext } from '@teu/rpc';
import type { StatsWatches } from '../stats/stats-watches.js';
import { parseWatch } from '../stats/watch-request.js';

export async function* watchStats(
  watches: StatsWatches,
  request: WatchStatsRequest,
  { signal }: CallContext,
): AsyncGenerator<WatchStatsResponse> {
  yield* watches.watch(parseWatch(request), signal);
}
