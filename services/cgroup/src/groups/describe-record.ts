import type { Group } from '@teu/proto/cgroup';
import type { CgroupParts } from '../cgroup-parts.js';
import { keyOfGroup } from '../domain/group-path.js';
import type { GroupRecord } from '../store/group-table.js';
import { isFrozen } from '../tree/freeze-group.js';
import { readProcesses } from '../tree/group-processes.js';

/** Describes a group as it is now. */
export function describeRecord(
  { tree, groups }: Pick<CgroupParts, 'tree' | 'groups'>,
  { name, resources, labels, createTime }: GroupRecord,
): Group {
  const key = keyOfGroup(name);
  return {
    name,
    resources,
    labels: { ...labels },
    createTime,
    frozen: isFrozen(tree, key),
    containerCount: tree.inhabitants(name).containers.size,
    groupCount: groups.countIn(name),
    processCount: readProcesses(tree.processGroup(key)).length,
  };
}
