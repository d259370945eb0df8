import { defineFailpoints } from '@teu/failpoint';

/** Places where a test can make the service end or fail: one after each step that leaves something behind. */
export const CGROUP_FAILPOINTS = defineFailpoints('cgroup', [
  'cgroup.group-create.after-intent',
  'cgroup.group-create.after-directories',
  'cgroup.group-create.after-limits',
  'cgroup.group-create.after-record',
  'cgroup.group-update.after-intent',
  'cgroup.group-update.after-limits',
  'cgroup.group-update.after-record',
  'cgroup.group-delete.after-intent',
  'cgroup.group-delete.after-directories',
  'cgroup.group-delete.after-record',
  /** Processes are frozen, to be brought into hierarchies that their group is not in yet. */
  'cgroup.join.after-freeze',
  'cgroup.join.after-directories',
  'cgroup.join.after-limits',
  /** One of the processes is there. */
  'cgroup.join.after-move',
  /** All are there, and still frozen. */
  'cgroup.join.after-moves',
  /** A group and what is in it get the same: one of them has it. */
  'cgroup.limits.after-copy',
  /** The limits of a container are changed, and it goes on. */
  'cgroup.update.after-limits',
  /** The last figures of a run are read, nothing is written. */
  'cgroup.usage.after-figures',
  /** The final record is on disk. */
  'cgroup.usage.after-record',
  /** The cgroup is still there. */
  'cgroup.usage.before-rmdir',
  /** It is gone in one hierarchy, or more. */
  'cgroup.usage.after-rmdir',
]);
