import { readFileSync } from 'node:fs';

/** A mount of a ZFS file system. */
export interface ZfsMount {
  readonly dataset: string;
  readonly mountPoint: string;
  /** "zfs" of OpenZFS, "fuse.zfs" of zfs-fuse. */
  readonly type: string;
  /** "major:minor" of the file system. */
  readonly device: string;
}

const TYPES = new Set(['zfs', 'fuse.zfs']);

/** Reads the mounts of ZFS out of mountinfo (proc_pid_mountinfo(5)). */
export function parseZfsMounts(mountinfo: string): ZfsMount[] {
  return mountinfo.split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ');
    const [type = '', dataset = ''] = after.split(' ');
    if (!TYPES.has(type)) return [];
    const [, , device = '', , mountPoint = ''] = before.split(' ');
    return [{ dataset: unescape(dataset), mountPoint: unescape(mountPoint), type, device }];
  });
}

/** The mounts of ZFS that this process sees now. */
export function zfsMounts(): ZfsMount[] {
  return parseZfsMounts(readFileSync('/proc/self/mountinfo', 'utf8'));
}

/** The kernel writes blanks, tabs, line ends and backslashes as octal numbers. */
function unescape(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}
