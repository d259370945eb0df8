import type { SnapshotPlace } from './driver.js';

/** A branch below the snapshot's own one. */
export interface LowerBranch {
  readonly id: number;
  readonly hasWhiteouts: boolean;
  /** Whether it is no parent. */
  readonly isAdded: boolean;
}

/** Puts parents and added branches in the order in which they are looked at, the highest first. */
export function arrangeBranches({ parentIds, added = [] }: SnapshotPlace): LowerBranch[] {
  const parents = parentIds.map((id) => ({ id, hasWhiteouts: true, isAdded: false }));
  const arranged: LowerBranch[] = [];
  const depthOf = (above: number | null): number => Math.min(above ?? Infinity, parents.length);
  for (let depth = 0; depth <= parents.length; depth += 1) {
    for (const { id, hasWhiteouts, parentsAbove } of added) {
      if (depthOf(parentsAbove) === depth) arranged.push({ id, hasWhiteouts, isAdded: true });
    }
    const parent = parents[depth];
    if (parent !== undefined) arranged.push(parent);
  }
  return arranged;
}
