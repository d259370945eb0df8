import { parseContainerId } from '@teu/ids';
import type { UpdateCgroupRequest, UpdateCgroupResponse } from '@teu/proto/cgroup';
import { requestedLimits } from '../domain/requested-limits.js';
import type { CgroupParts } from '../cgroup-parts.js';
import { describeGroup } from '../tree/describe-group.js';
import { updateGroup } from '../tree/update-group.js';

export function updateCgroup(
  { tree, watch }: CgroupParts,
  request: UpdateCgroupRequest,
): UpdateCgroupResponse {
  const id = parseContainerId(request.id, 'id');
  tree.checkExists(id);
  updateGroup(tree, id, requestedLimits(request.resources));
  watch.changed(id);
  return { cgroup: describeGroup(tree, id) };
}
