import { isBelow, keyOfGroup } from '../domain/group-path.js';
import type { CgroupTree } from '../tree/cgroup-tree.js';
import type { Watch } from './watch-request.js';

/**
 * What a watch is about, as the tree names it: directories of groups, if they are wanted, and ids of containers, each
 * in order. Looks into one hierarchy only: what is half made has no figures yet.
 */
export function selectSubjects(
  tree: CgroupTree,
  { ids, group, withGroups }: Pick<Watch, 'ids' | 'group' | 'withGroups'>,
): string[] {
  const groups = withGroups ? groupKeys(tree, group) : [];
  if (ids.length === 0) {
    return [...groups, ...[...tree.completeInhabitants(group).containers.keys()].sort()];
  }
  const isIn = (id: string): boolean => {
    const place = tree.placeOf(id);
    return group === '' || place === group || isBelow(place, group);
  };
  return [...groups, ...ids.filter(isIn)];
}

/** Directories of a group and of those in it. */
function groupKeys(tree: CgroupTree, group: string): string[] {
  const below = [...tree.completeInhabitants(group).groups].sort();
  return group === '' ? below : [keyOfGroup(group), ...below];
}
