import { parseContainerId } from '@teu/ids';
import type { UpdateCgroupRequest, UpdateCgroupResponse } from '@teu/proto/cgroup';
import { requestedLimits } from '../domain/requested-limits.js';
import type { CgroupTree } from '../tree/cgroup-tree.js';
import { describeGroup } from '../tree/describe-group.js';
import { updateGroup } from '../tree/update-group.js';

export function updateCgroup(tree: CgroupTree, request: UpdateCgroupRequest): UpdateCgroupResponse {
  const id = parseContainerId(request.id, 'id');
  tree.checkExists(id);
  updateGroup(tree, id, requestedLimits(request.resources));
  return { cgroup: describeGroup(tree, id) };
}
