import { teuError } from '@teu/errors';
import type { LinuxResources } from '@teu/proto/type';
import type { CgroupTree } from '../cgroup-tree.js';
import type { GroupWrite } from './group-write.js';

/** Fields of resources that a family has to do with. */
export type ResourcesPart = {
  readonly [K in keyof LinuxResources]?: Partial<LinuxResources[K]> | undefined;
};

/** What makes a new group as it is wanted. */
export interface NewLimits {
  readonly writes: readonly GroupWrite[];
  /** What the kernel will say is in force then. */
  readonly inForce: ResourcesPart;
}

/**
 * What becomes of limits that a request does not mention: they stay, they are as in a new group that the request
 * makes, or there are none.
 */
export type Rest = 'stays' | 'as new' | 'unlimited';

/** Limits of one kind. What is asked for and cannot be done here is refused by the field's name, never ignored. */
export interface LimitFamily {
  /**
   * Plans the limits of a group that is not there yet; the one that it is to be in is.
   *
   * @throws INVALID_ARGUMENT, RESOURCE_UNSUPPORTED
   */
  planNew(tree: CgroupTree, id: string, requested: LinuxResources): NewLimits;
  /**
   * Plans the change of a group that exists.
   *
   * @param rest - What becomes of limits that the request does not mention.
   * @throws INVALID_ARGUMENT, RESOURCE_UNSUPPORTED
   */
  planChange(
    tree: CgroupTree,
    id: string,
    requested: LinuxResources,
    rest: Rest,
  ): readonly GroupWrite[];
  /** Reads what is in force; what is not limited is absent. Throws Node's error if the group is gone. */
  read(tree: CgroupTree, id: string): ResourcesPart;
}

/** Nothing asked for, nothing done. */
export const NOTHING: NewLimits = { writes: [], inForce: {} };

export function unsupported(field: string, why: string): Error {
  return teuError('RESOURCE_UNSUPPORTED', `this host cannot enforce ${field}: ${why}`, {
    metadata: { field },
  });
}

export function invalid(field: string, problem: string): Error {
  return teuError('INVALID_ARGUMENT', `${field} ${problem}`, { metadata: { field } });
}
