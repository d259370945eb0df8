import { parseContainerId } from '@teu/ids';
import type { GetCgroupRequest, GetCgroupResponse } from '@teu/proto/cgroup';
import type { CgroupTree } from '../tree/cgroup-tree.js';
import { describeGroup } from '../tree/describe-group.js';

export function getCgroup(tree: CgroupTree, request: GetCgroupRequest): GetCgroupResponse {
  return { cgroup: describeGroup(tree, parseContainerId(request.id, 'id')) };
}
