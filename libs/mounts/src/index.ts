export { parseMount, type MountDescription, type ParsedMount } from './parse-mount.js';
export { parseStorageMounts, type MountOrigin } from './storage-mounts.js';
export { MOUNT_TYPES, isMountType } from './mount-types.js';
export {
  MS_BIND,
  MS_DIRSYNC,
  MS_LAZYTIME,
  MS_MANDLOCK,
  MS_NOATIME,
  MS_NODEV,
  MS_NODIRATIME,
  MS_NOEXEC,
  MS_NOSUID,
  MS_NOSYMFOLLOW,
  MS_PRIVATE,
  MS_RDONLY,
  MS_REC,
  MS_RELATIME,
  MS_REMOUNT,
  MS_SHARED,
  MS_SLAVE,
  MS_STRICTATIME,
  MS_SYNCHRONOUS,
  MS_UNBINDABLE,
  flagNames,
} from './mount-flags.js';
