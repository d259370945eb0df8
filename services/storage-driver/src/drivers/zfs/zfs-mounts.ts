import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

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

/** Names of the datasets that are mounted in any mount namespace that a process is in (namespaces(7)). */
export function mountedDatasets(): ReadonlySet<string> {
  const namespaces = new Set<string>();
  const datasets = new Set<string>();
  for (const name of readdirSync('/proc')) {
    if (!/^[0-9]+$/.test(name)) continue;
    try {
      const namespace = readlinkSync(`/proc/${name}/ns/mnt`);
      if (namespaces.has(namespace)) continue;
      const text = readFileSync(`/proc/${name}/mountinfo`, 'utf8');
      namespaces.add(namespace);
      for (const { dataset } of parseZfsMounts(text)) datasets.add(dataset);
    } catch {
      // It has ended, or has no memory any more and thus no mounts to tell of.
    }
  }
  return datasets;
}

/** The kernel writes blanks, tabs, line ends and backslashes as octal numbers. */
function unescape(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}
