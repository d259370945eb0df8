import { parseContainerId } from '@teu/ids';
import type { KillCgroupRequest, KillCgroupResponse } from '@teu/proto/cgroup';
import type { CgroupTree } from '../tree/cgroup-tree.js';
import { killGroup } from '../tree/kill-group.js';

export async function killCgroup(
  tree: CgroupTree,
  request: KillCgroupRequest,
): Promise<KillCgroupResponse> {
  const id = parseContainerId(request.id, 'id');
  tree.checkExists(id);
  return { killedCount: await killGroup(tree, id) };
}
