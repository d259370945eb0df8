import { defineFailpoints } from '@teu/failpoint';

/** Places where a test may end this service; one per step that leaves something behind. */
export const CGROUP_FAILPOINTS = defineFailpoints('cgroup', [
  /** The last figures of a run are read, nothing is written. */
  'cgroup.usage.after-figures',
  /** The final record is on disk. */
  'cgroup.usage.after-record',
  /** The cgroup is still there. */
  'cgroup.usage.before-rmdir',
  /** It is gone in one hierarchy, or more. */
  'cgroup.usage.after-rmdir',
]);
