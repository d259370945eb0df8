import { CgroupAction, type CgroupEvent } from '@teu/proto/event';
import type { CgroupParts } from '../cgroup-parts.js';
import {
  groupOfKey,
  isGroupKey,
  keyOfGroup,
  parentOf,
  withAncestors,
} from '../domain/group-path.js';
import type { ControllerName } from '../domain/host.js';
import { parseNumber } from '../domain/keyed-file.js';
import { readIfThere } from '../tree/group-files.js';
import { eventAbout } from './subject.js';
import type { Counts } from './told.js';

type Parts = Pick<CgroupParts, 'tree' | 'names'>;

interface Limit {
  readonly name: string;
  readonly controller: ControllerName;
  /** File of the limit on version 1. */
  readonly v1: string;
  readonly count: (counts: Counts) => number;
}

const LIMITS: readonly Limit[] = [
  { name: 'pids.max', controller: 'pids', v1: 'pids.max', count: ({ pidsMax }) => pidsMax },
  {
    name: 'memory.max',
    controller: 'memory',
    v1: 'memory.limit_in_bytes',
    count: ({ memoryMax }) => memoryMax,
  },
  {
    name: 'memory.high',
    controller: 'memory',
    v1: 'memory.soft_limit_in_bytes',
    count: ({ memoryHigh }) => memoryHigh,
  },
];

/**
 * Says which limits of a group were reached between two looks at its counters.
 *
 * @param reached - Whether the kernel said, beside the counters, that memory was at its limit.
 */
export function limitEvents(
  parts: Parts,
  id: string,
  { before, now, reached }: { before: Counts; now: Counts; reached: boolean },
): CgroupEvent[] {
  return LIMITS.flatMap((limit) => {
    const told = reached && limit.name === 'memory.max' ? 1 : 0;
    const count = Math.max(limit.count(now) - limit.count(before), told);
    return count > 0 ? [limitEvent(parts, id, limit, count)] : [];
  });
}

function limitEvent(parts: Parts, id: string, limit: Limit, count: number): CgroupEvent {
  return {
    ...eventAbout(parts, id, {
      action: CgroupAction.CGROUP_ACTION_LIMIT_REACHED,
      limit: limit.name,
      limitValue:
        limit.name === 'pids.max' ? tasksLimit(parts, id, limit) : limitValue(parts, id, limit),
      count,
    }),
  };
}

/**
 * The limit that a fork failed at. It is counted where it was tried (on version 2 until Linux 6.11), and may have been
 * stopped by the limit of a group further up.
 *
 * @returns -1 if it cannot be told which of several it was.
 */
function tasksLimit(parts: Parts, id: string, limit: Limit): number {
  const above = withAncestors(isGroupKey(id) ? parentOf(groupOfKey(id)) : parts.tree.placeOf(id));
  const limits = [id, ...above.reverse().filter(Boolean).map(keyOfGroup)]
    .map((group) => ({ group, value: limitValue(parts, group, limit) }))
    .filter(({ value }) => value !== -1);
  if (limits.length === 1) return limits[0]!.value;
  return limits.find(({ group, value }) => tasksIn(parts, group) >= value)?.value ?? -1;
}

function tasksIn({ tree }: Parts, id: string): number {
  const path = tree.groupOf('pids', id)?.path;
  return Number((path && readIfThere(`${path}/pids.current`)) ?? 0);
}

/** The limit in force; -1 for none, and of a group that is gone. */
function limitValue({ tree }: Parts, id: string, { controller, name, v1 }: Limit): number {
  const group = tree.groupOf(controller, id);
  if (group === undefined) return -1;
  const text = readIfThere(`${group.path}/${group.version === 1 ? v1 : name}`);
  return parseNumber(text ?? 'max');
}
