/** Flags of mount(2), from linux/mount.h. */
export const MS_RDONLY = 0x1;
export const MS_NOSUID = 0x2;
export const MS_NODEV = 0x4;
export const MS_NOEXEC = 0x8;
export const MS_SYNCHRONOUS = 0x10;
export const MS_REMOUNT = 0x20;
export const MS_MANDLOCK = 0x40;
export const MS_DIRSYNC = 0x80;
export const MS_NOSYMFOLLOW = 0x100;
export const MS_NOATIME = 0x400;
export const MS_NODIRATIME = 0x800;
export const MS_BIND = 0x1000;
export const MS_REC = 0x4000;
export const MS_UNBINDABLE = 0x2_0000;
export const MS_PRIVATE = 0x4_0000;
export const MS_SLAVE = 0x8_0000;
export const MS_SHARED = 0x10_0000;
export const MS_RELATIME = 0x20_0000;
export const MS_STRICTATIME = 0x100_0000;
export const MS_LAZYTIME = 0x200_0000;

const NAMES: readonly (readonly [number, string])[] = [
  [MS_RDONLY, 'ro'],
  [MS_NOSUID, 'nosuid'],
  [MS_NODEV, 'nodev'],
  [MS_NOEXEC, 'noexec'],
  [MS_SYNCHRONOUS, 'sync'],
  [MS_REMOUNT, 'remount'],
  [MS_MANDLOCK, 'mand'],
  [MS_DIRSYNC, 'dirsync'],
  [MS_NOSYMFOLLOW, 'nosymfollow'],
  [MS_NOATIME, 'noatime'],
  [MS_NODIRATIME, 'nodiratime'],
  [MS_BIND, 'bind'],
  [MS_REC, 'rec'],
  [MS_UNBINDABLE, 'unbindable'],
  [MS_PRIVATE, 'private'],
  [MS_SLAVE, 'slave'],
  [MS_SHARED, 'shared'],
  [MS_RELATIME, 'relatime'],
  [MS_STRICTATIME, 'strictatime'],
  [MS_LAZYTIME, 'lazytime'],
];

/** Names of the flags that are set, for messages; unknown bits as one hexadecimal number at the end. */
export function flagNames(flags: number): string[] {
  const names = NAMES.filter(([bit]) => (flags & bit) !== 0).map(([, name]) => name);
  const rest = NAMES.reduce((left, [bit]) => left & ~bit, flags);
  return rest === 0 ? names : [...names, `0x${(rest >>> 0).toString(16)}`];
}
