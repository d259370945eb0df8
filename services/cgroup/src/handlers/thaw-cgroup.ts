import { parseContainerId } from '@teu/ids';
import type { ThawCgroupRequest, ThawCgroupResponse } from '@teu/proto/cgroup';
import type { CgroupTree } from '../tree/cgroup-tree.js';
import { thawGroup } from '../tree/freeze-group.js';

export function thawCgroup(tree: CgroupTree, request: ThawCgroupRequest): ThawCgroupResponse {
  const id = parseContainerId(request.id, 'id');
  tree.checkExists(id);
  thawGroup(tree, id);
  return {};
}
