import { isDeepStrictEqual } from 'node:util';
import { LinuxResources } from '@teu/proto/type';
import { keyOfGroup } from '../domain/group-path.js';
import type { CgroupTree } from '../tree/cgroup-tree.js';
import { setDevices } from '../tree/limits/devices.js';
import { planNew, readResources } from '../tree/limits/group-resources.js';
import { performWrite } from '../tree/limits/group-write.js';
import { updateGroup } from '../tree/update-group.js';

/**
 * The limits that a new group will have in force.
 * @throws RESOURCE_UNSUPPORTED, INVALID_ARGUMENT
 */
export function resourcesOfNew(tree: CgroupTree, requested: LinuxResources): LinuxResources {
  return withUnreadable(planNew(tree, requested).inForce, requested);
}

/**
 * Limits a group whose directories are new.
 * @throws RESOURCE_UNSUPPORTED, INVALID_ARGUMENT; what was set then goes with the directories
 */
export function limitNew(tree: CgroupTree, name: string, resources: LinuxResources): void {
  const key = keyOfGroup(name);
  for (const write of planNew(tree, resources).writes) performWrite(tree, key, write);
  if (resources.devices.length > 0) setDevices(tree, key, resources.devices, 'new');
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
  await updateGroup(tree, keyOfGroup(name), requested);
  return withUnreadable(readResources(tree, keyOfGroup(name)), {
    devices: requested.devices.length > 0 ? requested.devices : before.devices,
    unified: { ...before.unified, ...requested.unified },
  });
}

/** Whether the kernel has in force what a group shall have, as far as it can be read. */
export function isInForce(tree: CgroupTree, name: string, resources: LinuxResources): boolean {
  const read = readResources(tree, keyOfGroup(name));
  return isDeepStrictEqual(withUnreadable(read, resources), resources);
}

/**
 * What the kernel does not tell is kept as it was asked for. No limit of swap is said in words: without them a limit
 * of memory would bring one of swap when the group is made again.
 */
function withUnreadable(
  read: LinuxResources,
  { devices, unified }: Pick<LinuxResources, 'devices' | 'unified'>,
): LinuxResources {
  const { memory } = read;
  const hasFreeSwap = memory?.limit !== undefined && memory.swap === undefined;
  return LinuxResources.fromPartial({
    ...read,
    devices,
    unified,
    memory: hasFreeSwap ? { ...memory, swap: -1 } : memory,
  });
}
