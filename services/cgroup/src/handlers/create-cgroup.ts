import { parseContainerId, parseGroupName } from '@teu/ids';
import type { CreateCgroupRequest, CreateCgroupResponse } from '@teu/proto/cgroup';
import type { CgroupParts } from '../cgroup-parts.js';
import { keyOfGroup } from '../domain/group-path.js';
import { createInGroup } from '../groups/create-in-group.js';
import { describeNewGroup } from '../tree/describe-group.js';

export function createCgroup(
  parts: CgroupParts,
  request: CreateCgroupRequest,
): CreateCgroupResponse {
  const id = parseContainerId(request.id, 'id');
  const group = request.group === '' ? '' : parseGroupName(request.group);
  const resources = createInGroup(parts, id, group, request.resources);
  parts.watch.added(id);
  // It may have been made again just now.
  if (group !== '') parts.watch.added(keyOfGroup(group));
  return { cgroup: describeNewGroup(parts.tree, id, resources) };
}
