import { isTeuError } from '@teu/errors';
import { parseContainerId } from '@teu/ids';
import type { DeleteCgroupRequest, DeleteCgroupResponse } from '@teu/proto/cgroup';
import type { CgroupParts } from '../cgroup-parts.js';
import { deleteGroup } from '../tree/delete-group.js';
import { readStats } from '../tree/group-stats.js';

export async function deleteCgroup(
  { tree, watch }: CgroupParts,
  request: DeleteCgroupRequest,
): Promise<DeleteCgroupResponse> {
  const id = parseContainerId(request.id, 'id');
  try {
    tree.checkExists(id);
  } catch (error) {
    if (!isTeuError(error, 'CGROUP_NOT_FOUND')) throw error;
    // It may be asked again because the answer was lost.
    return { finalStats: undefined, oomKills: [...watch.oomKills(id)] };
  }
  const finalStats = await deleteGroup(tree, id, request.force, () => {
    const stats = readStats(tree, id);
    watch.leaving(id, stats);
    return stats;
  });
  tree.forgetIfGone(id);
  return { finalStats, oomKills: await watch.left(id, finalStats.memory?.oomKillCount ?? 0) };
}
