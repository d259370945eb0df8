import { isTeuError } from '@teu/errors';
import { parseContainerId } from '@teu/ids';
import type { DeleteCgroupRequest, DeleteCgroupResponse } from '@teu/proto/cgroup';
import type { CgroupTree } from '../tree/cgroup-tree.js';
import { deleteGroup } from '../tree/delete-group.js';
import { readStats } from '../tree/group-stats.js';

export async function deleteCgroup(
  tree: CgroupTree,
  request: DeleteCgroupRequest,
): Promise<DeleteCgroupResponse> {
  const id = parseContainerId(request.id, 'id');
  try {
    tree.checkExists(id);
  } catch (error) {
    if (isTeuError(error, 'CGROUP_NOT_FOUND')) return { finalStats: undefined, oomKills: [] };
    throw error;
  }
  const finalStats = await deleteGroup(tree, id, request.force, () => readStats(tree, id));
  tree.forgetIfGone(id);
  return { finalStats, oomKills: [] };
}
