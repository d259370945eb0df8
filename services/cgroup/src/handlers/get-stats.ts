import { parseContainerId } from '@teu/ids';
import type { GetStatsRequest, GetStatsResponse } from '@teu/proto/cgroup';
import type { CgroupTree } from '../tree/cgroup-tree.js';
import { readStats } from '../tree/group-stats.js';

export function getStats(tree: CgroupTree, request: GetStatsRequest): GetStatsResponse {
  const id = parseContainerId(request.id, 'id');
  tree.checkExists(id);
  return { stats: readStats(tree, id), oomKills: [] };
}
