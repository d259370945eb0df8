import { teuError } from '@teu/errors';
import type { ContainerId } from '@teu/ids';
import type { LinuxResources } from '@teu/proto/type';
import type { CgroupParts } from '../cgroup-parts.js';
import { createGroup } from '../tree/create-group.js';

/**
 * Makes the cgroup of a container, in a group of containers or in none.
 *
 * @param group - Name of the group; empty for none.
 * @returns The limits in force.
 * @throws GROUP_NOT_FOUND, INVALID_STATE if the group is frozen; CGROUP_EXISTS if there is one with other limits or in
 *   another group; RESOURCE_UNSUPPORTED
 */
export function createInGroup(
  { tree, groups }: Pick<CgroupParts, 'tree' | 'groups'>,
  id: ContainerId,
  group: string,
  requested: LinuxResources | undefined,
): LinuxResources {
  if (group !== '') groups.requireOpen(group);
  if (tree.placeOf(id) !== group && tree.exists(id)) {
    throw teuError('CGROUP_EXISTS', `cgroup "${id}" exists already, in another group`, {
      metadata: { cgroup: id, group: tree.placeOf(id) },
    });
  }
  tree.place(id, group);
  try {
    return createGroup(tree, id, requested);
  } catch (error) {
    tree.forgetIfGone(id);
    throw error;
  }
}
