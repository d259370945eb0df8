import { parseContainerId } from '@teu/ids';
import type { CreateCgroupRequest, CreateCgroupResponse } from '@teu/proto/cgroup';
import type { CgroupTree } from '../tree/cgroup-tree.js';
import { createGroup } from '../tree/create-group.js';
import { describeNewGroup } from '../tree/describe-group.js';

export function createCgroup(tree: CgroupTree, request: CreateCgroupRequest): CreateCgroupResponse {
  const id = parseContainerId(request.id, 'id');
  const resources = createGroup(tree, id, request.resources);
  return { cgroup: describeNewGroup(tree, id, resources) };
}
