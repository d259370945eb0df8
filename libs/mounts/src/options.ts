import * as flag from './mount-flags.js';

/** What an option does to the flags: bits to set, and bits to clear first. */
export interface FlagChange {
  readonly set: number;
  readonly clear: number;
}

const on = (set: number): FlagChange => ({ set, clear: 0 });
const off = (clear: number): FlagChange => ({ set: 0, clear });

// The access-time modes exclude each other; the last one wins, as in mount(8).
const ATIME = flag.MS_NOATIME | flag.MS_RELATIME | flag.MS_STRICTATIME;
const atime = (set: number): FlagChange => ({ set, clear: ATIME });

/** Options of a mount point (OCI runtime spec, config.md, "Linux mount options"; mount(8)). */
export const FLAG_OPTIONS: ReadonlyMap<string, FlagChange> = new Map([
  ['defaults', on(0)],
  ['bind', on(flag.MS_BIND)],
  ['rbind', on(flag.MS_BIND | flag.MS_REC)],
  ['ro', on(flag.MS_RDONLY)],
  ['rw', off(flag.MS_RDONLY)],
  ['nosuid', on(flag.MS_NOSUID)],
  ['suid', off(flag.MS_NOSUID)],
  ['nodev', on(flag.MS_NODEV)],
  ['dev', off(flag.MS_NODEV)],
  ['noexec', on(flag.MS_NOEXEC)],
  ['exec', off(flag.MS_NOEXEC)],
  ['sync', on(flag.MS_SYNCHRONOUS)],
  ['async', off(flag.MS_SYNCHRONOUS)],
  ['dirsync', on(flag.MS_DIRSYNC)],
  ['remount', on(flag.MS_REMOUNT)],
  ['mand', on(flag.MS_MANDLOCK)],
  ['nomand', off(flag.MS_MANDLOCK)],
  ['nosymfollow', on(flag.MS_NOSYMFOLLOW)],
  ['symfollow', off(flag.MS_NOSYMFOLLOW)],
  ['noatime', atime(flag.MS_NOATIME)],
  ['atime', atime(0)],
  ['relatime', atime(flag.MS_RELATIME)],
  ['norelatime', off(flag.MS_RELATIME)],
  ['strictatime', atime(flag.MS_STRICTATIME)],
  ['nostrictatime', off(flag.MS_STRICTATIME)],
  ['nodiratime', on(flag.MS_NODIRATIME)],
  ['diratime', off(flag.MS_NODIRATIME)],
  ['lazytime', on(flag.MS_LAZYTIME)],
  ['nolazytime', off(flag.MS_LAZYTIME)],
]);

/** Propagation, applied by a second mount(2) call. */
export const PROPAGATION_OPTIONS: ReadonlyMap<string, number> = new Map([
  ['private', flag.MS_PRIVATE],
  ['rprivate', flag.MS_PRIVATE | flag.MS_REC],
  ['slave', flag.MS_SLAVE],
  ['rslave', flag.MS_SLAVE | flag.MS_REC],
  ['shared', flag.MS_SHARED],
  ['rshared', flag.MS_SHARED | flag.MS_REC],
  ['unbindable', flag.MS_UNBINDABLE],
  ['runbindable', flag.MS_UNBINDABLE | flag.MS_REC],
]);

/** Attributes of a whole tree, set by mount_setattr(2) with AT_RECURSIVE (Linux 5.12). */
export const RECURSIVE_OPTIONS: ReadonlyMap<string, FlagChange> = new Map([
  ['rro', on(flag.MS_RDONLY)],
  ['rrw', off(flag.MS_RDONLY)],
  ['rnosuid', on(flag.MS_NOSUID)],
  ['rsuid', off(flag.MS_NOSUID)],
  ['rnodev', on(flag.MS_NODEV)],
  ['rdev', off(flag.MS_NODEV)],
  ['rnoexec', on(flag.MS_NOEXEC)],
  ['rexec', off(flag.MS_NOEXEC)],
  ['rnosymfollow', on(flag.MS_NOSYMFOLLOW)],
  ['rsymfollow', off(flag.MS_NOSYMFOLLOW)],
  ['rnoatime', atime(flag.MS_NOATIME)],
  ['rrelatime', atime(flag.MS_RELATIME)],
  ['rstrictatime', atime(flag.MS_STRICTATIME)],
  ['rnodiratime', on(flag.MS_NODIRATIME)],
  ['rdiratime', off(flag.MS_NODIRATIME)],
]);
