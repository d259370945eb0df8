import { readFileSync } from 'node:fs';

/** A line of mountinfo (proc_pid_mountinfo(5)). */
export interface MountLine {
  mountPoint: string;
  type: string;
  source: string;
  /** Options of the file system; for overlayfs the directories. */
  options: string;
}

/** The mounts that a process sees, in the order in which they were made. Empty if it is gone. */
export function mountTable(pid: number | 'self' = 'self'): MountLine[] {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/mountinfo`, 'utf8');
  } catch {
    return [];
  }
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map(parseLine);
}

/** Where something is mounted in a directory or below it, as this process sees it. */
export function mountPointsUnder(directory: string): string[] {
  return mountTable()
    .map((line) => line.mountPoint)
    .filter((point) => isUnder(point, directory));
}

/** Tells whether a path is a directory or below it. */
export function isUnder(path: string, directory: string): boolean {
  return path === directory || path.startsWith(`${directory}/`);
}

function parseLine(line: string): MountLine {
  const [before = '', after = ''] = line.split(' - ');
  const [type = '', source = '', options = ''] = after.split(' ');
  return { mountPoint: unescape(before.split(' ')[4] ?? ''), type, source, options };
}

/** The kernel writes blanks, tabs, line ends and backslashes as octal numbers. */
function unescape(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}
