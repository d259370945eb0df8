import { describe, expect, it } from 'vitest';
import { arrangeBranches } from './arrange-branches.js';
import type { AddedBranch } from './driver.js';

const added = (id: number, parentsAbove: number | null): AddedBranch => ({
  id,
  parentsAbove,
  hasWhiteouts: false,
});
const idsOf = (parentIds: number[], ...branches: AddedBranch[]): number[] =>
  arrangeBranches({ id: 9, writable: true, parentIds, added: branches }).map(({ id }) => id);

describe('the order of branches', () => {
  it('is that of the parents without others', () => {
    expect(arrangeBranches({ id: 9, writable: true, parentIds: [3, 1] })).toEqual([
      { id: 3, hasWhiteouts: true, isAdded: false },
      { id: 1, hasWhiteouts: true, isAdded: false },
    ]);
  });

  it('has added ones where they were put', () => {
    expect(idsOf([3, 1], added(5, 0), added(6, 0), added(7, 1), added(8, null))).toEqual([
      5, 6, 3, 7, 1, 8,
    ]);
  });

  it('keeps the lowest below more parents, and the others where they were', () => {
    expect(idsOf([4, 3, 2, 1], added(7, 1), added(8, null))).toEqual([4, 7, 3, 2, 1, 8]);
    expect(idsOf([4], added(7, 3), added(8, null))).toEqual([4, 7, 8]);
  });
});
