import { FAILPOINTS } from '../failpoints.js';

/** What the lifecycle does not pass has tests of its own. */
const ELSEWHERE = /\.(restore|reparent|merge|replace)\./;

/** Points that making, committing and removing snapshots pass. */
export const LIFECYCLE_FAILPOINTS = FAILPOINTS.filter((point) => !ELSEWHERE.test(point));
/** Points that changing a parent passes. */
export const REPARENT_FAILPOINTS = FAILPOINTS.filter((point) => point.includes('.reparent.'));
/** Points that replacing a committed snapshot passes. */
export const REPLACE_FAILPOINTS = FAILPOINTS.filter((point) => point.includes('.replace.'));
/** Points that merging into a parent passes. */
export const MERGE_FAILPOINTS = FAILPOINTS.filter((point) => point.includes('.merge.'));
