import { failpoint } from '@teu/failpoint';
import { parseContainerId } from '@teu/ids';
import type { UpdateCgroupRequest, UpdateCgroupResponse } from '@teu/proto/cgroup';
import type { CgroupParts } from '../cgroup-parts.js';
import { describeGroup } from '../tree/describe-group.js';
import { frozenBefore, thawIfLeftFrozen } from '../tree/left-frozen.js';
import { updateGroup } from '../tree/update-group.js';

const OPERATION = 'cgroup-update';

export async function updateCgroup(
  { tree, watch, store }: CgroupParts,
  request: UpdateCgroupRequest,
  signal: AbortSignal,
): Promise<UpdateCgroupResponse> {
  const id = parseContainerId(request.id, 'id');
  tree.checkExists(id);
  const payload = frozenBefore(tree, id);
  const intent = store.intents.begin({ operation: OPERATION, objectKey: id, payload });
  try {
    await updateGroup(tree, id, request.resources, request.replace ? 'as new' : 'stays', signal);
    failpoint('cgroup.update.after-limits');
  } finally {
    store.intents.finish(intent);
  }
  watch.changed(id);
  return { cgroup: describeGroup(tree, id) };
}

/** After a start: containers whose limits were being changed go on. Which limits they have is for the engine to say. */
export function recoverUpdates({ tree, store }: Pick<CgroupParts, 'tree' | 'store'>): void {
  for (const intent of store.intents.list()) {
    if (intent.operation !== OPERATION) continue;
    thawIfLeftFrozen(tree, intent.objectKey, intent);
    store.intents.finish(intent.id);
  }
}
