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
  // An update may hold it frozen for a moment.
  await tree.updates.run(id, () => freezeGroup(tree, id));
  return {};
}
