import { CgroupEvent } from '@teu/proto/event';
import type { CgroupParts } from '../cgroup-parts.js';
import { groupOfKey, isGroupKey } from '../domain/group-path.js';

/** Begins an event about the group of a container, or about one of containers. */
export function eventAbout(
  { tree, names }: Pick<CgroupParts, 'tree' | 'names'>,
  id: string,
  fact: Partial<CgroupEvent>,
): CgroupEvent {
  const subject = isGroupKey(id)
    ? { containerId: '', name: '', group: groupOfKey(id) }
    : { containerId: id, name: names(id), group: tree.placeOf(id) };
  return CgroupEvent.create({ ...subject, ...fact });
}
