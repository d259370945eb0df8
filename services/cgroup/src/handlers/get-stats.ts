import { parseContainerId } from '@teu/ids';
import type { GetStatsRequest, GetStatsResponse } from '@teu/proto/cgroup';
import type { CgroupParts } from '../cgroup-parts.js';
import { readStats } from '../tree/group-stats.js';

export async function getStats(
  { tree, watch }: CgroupParts,
  request: GetStatsRequest,
): Promise<GetStatsResponse> {
  const id = parseContainerId(request.id, 'id');
  tree.checkExists(id);
  const stats = readStats(tree, id);
  return { stats, oomKills: await watch.settledKills(id, stats.memory?.oomKillCount ?? 0) };
}
