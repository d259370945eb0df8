/**
 * File system types that a mount may have. A type outside the list is refused: a driver is another
 * program, and mounting is done with all privileges.
 */
export const MOUNT_TYPES = [
  'bind',
  'overlay',
  'tmpfs',
  'proc',
  'sysfs',
  'devpts',
  'mqueue',
  'cgroup',
  'cgroup2',
  'ext4',
  'xfs',
  'btrfs',
  'zfs',
  'erofs',
  'squashfs',
  'aufs',
] as const;

const known = new Set<string>(MOUNT_TYPES);
const FUSE = /^fuse(?:3|blk)?(?:\.[a-z0-9][a-z0-9_-]{0,31})?$/;

/** True for a listed type, and for `fuse` with or without a subtype (`fuse.fuse-overlayfs`). */
export function isMountType(type: string): boolean {
  return known.has(type) || FUSE.test(type);
}
