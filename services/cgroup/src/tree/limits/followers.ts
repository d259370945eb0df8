import { groupOfKey, isGroupKey } from '../../domain/group-path.js';
import type { Hierarchy } from '../../domain/host.js';
import type { CgroupTree } from '../cgroup-tree.js';
import { readIfThere } from '../group-files.js';

/**
 * Finds what goes along with a change of a group of containers: the groups and containers in it that have the same in
 * a file of which version 1 gives every new group a copy. The kernel leaves the copies as they are when the group
 * changes, and cannot tell them from what was asked for and is the same.
 *
 * @param isSame - Tells by a file's text whether it says what the group's file says.
 * @returns Keys of groups and ids of containers, those that others are in first; none for a container.
 */
export function followersOf(
  tree: CgroupTree,
  id: string,
  { hierarchy, file }: { readonly hierarchy: Hierarchy; readonly file: string },
  isSame: (text: string) => boolean,
): string[] {
  if (!isGroupKey(id)) return [];
  const { groups, containers } = tree.inhabitants(groupOfKey(id));
  return [...groups, ...containers.keys()].filter((inner) => {
    const text = readIfThere(`${tree.groupIn(hierarchy, inner)}/${file}`);
    return text !== undefined && isSame(text);
  });
}
