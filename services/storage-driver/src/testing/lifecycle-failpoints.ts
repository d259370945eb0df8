import { FAILPOINTS } from '../failpoints.js';

/** What the lifecycle does not pass has tests of its own. */
const ELSEWHERE = /\.(restore|reparent|merge)\./;

/** Points that making, committing and removing snapshots pass. */
export const LIFECYCLE_FAILPOINTS = FAILPOINTS.filter((point) => !ELSEWHERE.test(point));
