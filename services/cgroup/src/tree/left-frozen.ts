import type { Intent } from '@teu/state';
import type { CgroupTree } from './cgroup-tree.js';
import { isToldToFreeze, thawGroup } from './freeze-group.js';

/** Part of the payload of an intent to change limits, for which processes may have to be frozen for a moment. */
export interface FrozenBefore {
  readonly wasFrozen: boolean;
}

/** What is written down before limits of a group are changed. */
export function frozenBefore(tree: CgroupTree, id: string): FrozenBefore {
  return { wasFrozen: tree.exists(id) && isToldToFreeze(tree, id) };
}

/** Has a group go on that stands still only because the service ended while its limits were changed. */
export function thawIfLeftFrozen(
  tree: CgroupTree,
  id: string,
  { payload }: Pick<Intent, 'payload'>,
): void {
  const { wasFrozen } = payload as Partial<FrozenBefore>;
  if (wasFrozen === false && tree.exists(id) && isToldToFreeze(tree, id)) thawGroup(tree, id);
}
