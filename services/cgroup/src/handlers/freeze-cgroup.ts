import { parseContainerId } from '@teu/ids';
import type { FreezeCgroupRequest, FreezeCgroupResponse } from '@teu/proto/cgroup';
import type { CgroupTree } from '../tree/cgroup-tree.js';
import { freezeGroup } from '../tree/freeze-group.js';

export async function freezeCgroup(
  tree: CgroupTree,
  request: FreezeCgroupRequest,
): Promise<FreezeCgroupResponse> {
  const id = parseContainerId(request.id, 'id');
  tree.checkExists(id);
  await freezeGroup(tree, id);
  return {};
}
