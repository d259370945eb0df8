import { isTeuError } from '@teu/errors';
import { parseContainerId } from '@teu/ids';
import type { DeleteCgroupRequest, DeleteCgroupResponse } from '@teu/proto/cgroup';
import type { CgroupParts } from '../cgroup-parts.js';
import { parseEndedRun } from '../ledger/parse-run.js';
import { deleteGroup } from '../tree/delete-group.js';
import { readStats } from '../tree/group-stats.js';

/** Removes a cgroup. What its run has used, and what was killed in it, is on record before, durably. */
export async function deleteCgroup(
  { tree, ledger, watch }: CgroupParts,
  request: DeleteCgroupRequest,
): Promise<DeleteCgroupResponse> {
  const id = parseContainerId(request.id, 'id');
  const run = request.run && parseEndedRun(request.run, id);
  try {
    tree.checkExists(id);
  } catch (error) {
    if (!isTeuError(error, 'CGROUP_NOT_FOUND')) throw error;
    await ledger.finish(id, run);
    watch.removed(id);
    // It may be asked again because the answer was lost.
    return { finalStats: undefined, oomKills: [...watch.oomKills(id)] };
  }
  const finalStats = await deleteGroup(tree, id, request.force, async () => {
    const stats = readStats(tree, id);
    await watch.leaving(id, stats);
    // The ledger shall have the causes too.
    await watch.settledKills(id, stats.memory?.oomKillCount ?? 0);
    await ledger.finish(id, run);
    return stats;
  });
  const oomKills = await watch.left(id, finalStats.memory?.oomKillCount ?? 0);
  tree.forgetIfGone(id);
  return { finalStats, oomKills };
}
