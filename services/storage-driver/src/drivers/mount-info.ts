import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A mount, as a line of mountinfo tells it (proc_pid_mountinfo(5)). */
export interface MountInfo {
  /** "major:minor" of the file system. */
  readonly device: string;
  readonly mountPoint: string;
  readonly type: string;
  readonly source: string;
  /** Options of the file system, divided by commas. */
  readonly options: string;
}

/** Reads the text of mountinfo. */
export function parseMountInfo(text: string): MountInfo[] {
  return text.split('\n').flatMap((line) => {
    const [before = '', after] = line.split(' - ');
    if (after === undefined) return [];
    const [, , device = '', , mountPoint = ''] = before.split(' ');
    const [type = '', source = '', options = ''] = after.split(' ');
    return [{ device, mountPoint: unescape(mountPoint), type, source: unescape(source), options }];
  });
}

/** The mounts that this process sees now. */
export function ownMounts(): MountInfo[] {
  return parseMountInfo(readFileSync('/proc/self/mountinfo', 'utf8'));
}

/** The mounts of every mount namespace that a process is in (namespaces(7)), this one's among them. */
export function* mountsOfNamespaces(): Generator<MountInfo[]> {
  const seen = new Set<string>();
  for (const name of readdirSync('/proc')) {
    if (!/^[0-9]+$/.test(name)) continue;
    try {
      const namespace = readlinkSync(`/proc/${name}/ns/mnt`);
      if (seen.has(namespace)) continue;
      const text = readFileSync(`/proc/${name}/mountinfo`, 'utf8');
      seen.add(namespace);
      yield parseMountInfo(text);
    } catch {
      // It has ended, or has no memory any more and thus no mounts to tell of.
    }
  }
}

/** The kernel writes blanks, tabs, line ends and backslashes as octal numbers. */
function unescape(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}
