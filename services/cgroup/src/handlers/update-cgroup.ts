import { parseContainerId } from '@teu/ids';
import type { UpdateCgroupRequest, UpdateCgroupResponse } from '@teu/proto/cgroup';
import type { CgroupParts } from '../cgroup-parts.js';
import { describeGroup } from '../tree/describe-group.js';
import { updateGroup } from '../tree/update-group.js';

export async function updateCgroup(
  { tree, watch }: CgroupParts,
  request: UpdateCgroupRequest,
): Promise<UpdateCgroupResponse> {
  const id = parseContainerId(request.id, 'id');
  tree.checkExists(id);
  await updateGroup(tree, id, request.resources, request.replace ? 'as new' : 'stays');
  watch.changed(id);
  return { cgroup: describeGroup(tree, id) };
}
