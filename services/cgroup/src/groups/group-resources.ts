import { isDeepStrictEqual } from 'node:util';
import { teuError } from '@teu/errors';
import { LinuxResources } from '@teu/proto/type';
import { keyOfGroup } from '../domain/group-path.js';
import type { CgroupTree } from '../tree/cgroup-tree.js';
import { planNew, readResources } from '../tree/limits/group-resources.js';
import { performWrite } from '../tree/limits/group-write.js';
import { updateGroup } from '../tree/update-group.js';

/**
 * The limits that a new group will have in force.
 * @throws RESOURCE_UNSUPPORTED, INVALID_ARGUMENT
 */
export function resourcesOfNew(tree: CgroupTree, requested: LinuxResources): LinuxResources {
  refuseDevices(requested);
  return withUnreadable(planNew(tree, requested).inForce, requested.unified);
}

/**
 * Limits a group whose directories are new.
 * @throws RESOURCE_UNSUPPORTED, INVALID_ARGUMENT; what was set then goes with the directories
 */
export function limitNew(tree: CgroupTree, name: string, resources: LinuxResources): void {
  const key = keyOfGroup(name);
  for (const write of planNew(tree, resources).writes) performWrite(tree, key, write);
}

/**
 * Changes limits of a group.
 * @param before - What was in force.
 * @returns What is in force now.
 * @throws as updateGroup; then nothing is changed
 */
export async function changeLimits(
  tree: CgroupTree,
  name: string,
  before: LinuxResources,
  requested: LinuxResources,
): Promise<LinuxResources> {
  refuseDevices(requested);
  await updateGroup(tree, keyOfGroup(name), requested);
  const unified = { ...before.unified, ...requested.unified };
  return withUnreadable(readResources(tree, keyOfGroup(name)), unified);
}

/** Whether the kernel has in force what a group shall have, as far as it can be read. */
export function isInForce(tree: CgroupTree, name: string, resources: LinuxResources): boolean {
  const read = readResources(tree, keyOfGroup(name));
  return isDeepStrictEqual(withUnreadable(read, resources.unified), resources);
}

/**
 * What the kernel does not tell is kept as it was asked for. No limit of swap is said in words: without them a limit
 * of memory would bring one of swap when the group is made again.
 */
function withUnreadable(
  read: LinuxResources,
  unified: Readonly<Record<string, string>>,
): LinuxResources {
  const { memory } = read;
  const hasFreeSwap = memory?.limit !== undefined && memory.swap === undefined;
  return LinuxResources.fromPartial({
    ...read,
    unified,
    memory: hasFreeSwap ? { ...memory, swap: -1 } : memory,
  });
}

/**
 * Which devices there are is no budget that could be shared; and on version 1 no container could have its usual ones in
 * a group with a list that lacks one of them.
 */
function refuseDevices({ devices }: LinuxResources): void {
  if (devices.length === 0) return;
  const field = 'resources.devices';
  const text = `${field} is for containers: a group of them has no list of devices`;
  throw teuError('INVALID_ARGUMENT', text, { metadata: { field } });
}
