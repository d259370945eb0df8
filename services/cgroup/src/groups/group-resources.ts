import { teuError } from '@teu/errors';
import type { LinuxResources } from '@teu/proto/type';
import { keyOfGroup } from '../domain/group-path.js';
import type { CgroupTree } from '../tree/cgroup-tree.js';
import { isBlockDevice } from '../tree/limits/block-device.js';
import { planNew, readResources } from '../tree/limits/group-resources.js';
import { setExactly, updateGroup } from '../tree/update-group.js';

/**
 * The limits that a new group will have in force; the one that it is in must have its directories. Files of version 2 are kept as they were asked for: the kernel does
 * not tell which of them were.
 * @throws RESOURCE_UNSUPPORTED, INVALID_ARGUMENT
 */
export function resourcesOfNew(
  tree: CgroupTree,
  name: string,
  requested: LinuxResources,
): LinuxResources {
  refuseDevices(requested);
  return { ...planNew(tree, keyOfGroup(name), requested).inForce, unified: requested.unified };
}

/**
 * Gives a group exactly these limits. What is in force already is not written again.
 * @throws RESOURCE_UNSUPPORTED, INVALID_ARGUMENT, INVALID_STATE if more is in use than they allow; then nothing is changed
 */
export function setResources(tree: CgroupTree, name: string, resources: LinuxResources): void {
  setExactly(tree, keyOfGroup(name), resources);
}

/**
 * Changes limits of a group.
 * @param before - What was in force.
 * @returns What is in force now.
 * @throws as updateGroup; then nothing is changed
 */
export async function changeResources(
  tree: CgroupTree,
  name: string,
  before: LinuxResources,
  requested: LinuxResources,
  signal: AbortSignal,
): Promise<LinuxResources> {
  await updateGroup(tree, keyOfGroup(name), requested, 'stays', signal);
  return readLimits(tree, name, { ...before.unified, ...requested.unified });
}

/**
 * Reads the limits in force of a group.
 * @param unified - Files of version 2 that were asked for.
 */
export function readLimits(
  tree: CgroupTree,
  name: string,
  unified: LinuxResources['unified'],
): LinuxResources {
  return { ...readResources(tree, keyOfGroup(name)), unified };
}

/** The same limits, but for those of block devices that this host does not have any more. */
export function withoutGoneDevices(resources: LinuxResources): LinuxResources {
  const { blockIo } = resources;
  if (blockIo === undefined) return resources;
  return {
    ...resources,
    blockIo: {
      ...blockIo,
      weightDevices: blockIo.weightDevices.filter(isBlockDevice),
      throttleReadBpsDevices: blockIo.throttleReadBpsDevices.filter(isBlockDevice),
      throttleWriteBpsDevices: blockIo.throttleWriteBpsDevices.filter(isBlockDevice),
      throttleReadIopsDevices: blockIo.throttleReadIopsDevices.filter(isBlockDevice),
      throttleWriteIopsDevices: blockIo.throttleWriteIopsDevices.filter(isBlockDevice),
    },
  };
}

/**
 * Which devices there are is no budget that could be shared; and on version 1 no container could have its usual ones in
 * a group with a list that lacks one of them.
 * @throws INVALID_ARGUMENT
 */
export function refuseDevices({ devices }: LinuxResources): void {
  if (devices.length === 0) return;
  const field = 'resources.devices';
  const text = `${field} is for containers: a group of them has no list of devices`;
  throw teuError('INVALID_ARGUMENT', text, { metadata: { field } });
}
