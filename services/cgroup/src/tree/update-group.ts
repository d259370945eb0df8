import { failpoint } from '@teu/failpoint';
import { LinuxResources } from '@teu/proto/type';
import type { CgroupTree } from './cgroup-tree.js';
import { hasJoined, joinHierarchies } from './join-hierarchies.js';
import { setDevices } from './limits/devices.js';
import type { Rest } from './limits/limit-family.js';
import { hierarchiesFor, planChange } from './limits/group-resources.js';
import { performWrite, undoWrite, type GroupWrite } from './limits/group-write.js';
import { performSlow } from './limits/slow-writes.js';
import { NO_SIGNAL } from './slow-write.js';
import { tryTo } from './try-to.js';

/**
 * Changes limits of a group. If one cannot be set, those
 * set before it are set back. For a limit of a hierarchy that the group is not in yet, all its processes are brought
 * there, frozen, after everything else.
 *
 * What may take long comes first; then the rest is planned anew, and done at one go. Device rules are last of what can
 * be refused: they cannot be read back from the kernel.
 *
 * @param rest - What becomes of limits that the request does not mention.
 * @param signal - Of who wants it: if it comes while memory is being freed, everything is as it was.
 * @throws RESOURCE_UNSUPPORTED, INVALID_ARGUMENT, INVALID_STATE if more is in use than allowed, CGROUP_BUSY if its
 *   processes cannot be stopped; the signal's reason
 */
export async function updateGroup(
  tree: CgroupTree,
  id: string,
  requested: LinuxResources = LinuxResources.create(),
  rest: Rest = 'stays',
  signal: AbortSignal = NO_SIGNAL,
): Promise<void> {
  const plan = (): readonly GroupWrite[] => planChange(tree, id, requested, rest);
  await slowFirst(tree, id, signal, plan, () => changeAtOnce(tree, id, requested, rest));
}

/** Does those of the planned writes that may take long, and then what does the rest. */
async function slowFirst(
  tree: CgroupTree,
  id: string,
  signal: AbortSignal,
  plan: () => readonly GroupWrite[],
  doRest: () => Promise<void> | void,
): Promise<void> {
  await tree.updates.run(id, async () => {
    signal.throwIfAborted();
    const takeBack = await performSlow(tree, id, plan(), signal);
    try {
      await doRest();
    } catch (error) {
      await takeBack();
      throw error;
    }
  });
}

async function changeAtOnce(
  tree: CgroupTree,
  id: string,
  requested: LinuxResources,
  rest: Rest,
): Promise<void> {
  const missing = hierarchiesFor(tree, requested).filter(
    (hierarchy) => !hasJoined(tree, id, hierarchy),
  );
  const writes = planChange(tree, id, requested, rest);
  const limit = (): (() => void) => applyAll(tree, id, writes);
  const finish = (): void => {
    if (rest !== 'stays' || requested.devices.length > 0) {
      setDevices(tree, id, requested.devices, 'live');
    }
  };
  if (missing.length > 0) await joinHierarchies(tree, id, missing, { limit, finish });
  else allOrNothing(limit, finish);
}

/**
 * Gives a group exactly these limits, but for devices; it is in every hierarchy that they need. If one cannot be set,
 * those set before it are set back.
 */
export function setExactly(tree: CgroupTree, id: string, wanted: LinuxResources): void {
  applyAll(tree, id, planChange(tree, id, wanted, 'unlimited'));
}

/** Does the same while others are answered. Throws also the signal's reason. */
export async function setExactlySlowly(
  tree: CgroupTree,
  id: string,
  wanted: LinuxResources,
  signal: AbortSignal,
): Promise<void> {
  const plan = (): readonly GroupWrite[] => planChange(tree, id, wanted, 'unlimited');
  await slowFirst(tree, id, signal, plan, () => setExactly(tree, id, wanted));
}

function allOrNothing(limit: () => () => void, finish: () => void): void {
  const unlimit = limit();
  try {
    finish();
  } catch (error) {
    unlimit();
    throw error;
  }
}

/**
 * Writes one after the other; if one fails, what was written is set back.
 * @returns What sets all of them back, as far as the kernel lets it.
 */
function applyAll(tree: CgroupTree, id: string, writes: readonly GroupWrite[]): () => void {
  const done: GroupWrite[] = [];
  const undo = (): void => {
    for (const write of done.reverse()) tryTo(() => undoWrite(tree, id, write));
  };
  try {
    for (const write of writes) {
      performWrite(tree, id, write);
      done.push(write);
      if (write.group !== undefined) failpoint('cgroup.limits.after-copy');
    }
  } catch (error) {
    undo();
    throw error;
  }
  return undo;
}
