import { CgroupServiceService, WatchStatsRequest, type StatsEntry } from '@teu/proto/cgroup';
import type { Context } from '../context.js';

/** Streams the figures of containers and groups, a whole sample at a time. */
export async function* readSamples(
  { services, abort }: Pick<Context, 'services' | 'abort'>,
  request: Partial<WatchStatsRequest>,
): AsyncGenerator<StatsEntry[]> {
  const messages = services.cgroup.serverStream(
    CgroupServiceService.watchStats,
    WatchStatsRequest.create(request),
    { signal: abort },
  );
  let sample: StatsEntry[] = [];
  for await (const { entries, complete } of messages) {
    sample.push(...entries);
    if (!complete) continue;
    yield sample;
    sample = [];
  }
}
