import { FAILPOINTS } from '../failpoints.js';

/** Points that making, committing and removing snapshots pass. Repairing has a test of its own. */
export const LIFECYCLE_FAILPOINTS = FAILPOINTS.filter((point) => !point.includes('restore'));
