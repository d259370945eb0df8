import { parseContainerId } from '@teu/ids';
import type { ThawCgroupRequest, ThawCgroupResponse } from '@teu/proto/cgroup';
import type { CgroupTree } from '../tree/cgroup-tree.js';
import { thawGroup } from '../tree/freeze-group.js';

export async function thawCgroup(
  tree: CgroupTree,
  request: ThawCgroupRequest,
): Promise<ThawCgroupResponse> {
  const id = parseContainerId(request.id, 'id');
  tree.checkExists(id);
  // An update may hold it frozen for a moment.
  await tree.updates.run(id, async () => thawGroup(tree, id));
  return {};
}
