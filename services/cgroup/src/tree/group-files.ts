import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs';

/** Reads a file of a group. Throws Node's error. */
export function readGroupFile(path: string): string {
  return readFileSync(path, 'utf8');
}

/** Reads a file of a group; undefined if the kernel does not have it or the group is gone. */
export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENODEV', 'EOPNOTSUPP')) return undefined;
    throw error;
  }
}

/**
 * Writes a file of a group in one write(2), as the kernel wants it. It must exist: a cgroup file
 * system makes no files. Throws Node's error.
 */
export function writeGroupFile(path: string, text: string): void {
  writeToGroupFile(path, (write) => write(text));
}

/** Does several such writes to one file, which is opened once. Throws Node's error. */
export function writeToGroupFile(
  path: string,
  work: (write: (text: string) => void) => void,
): void {
  const fd = openSync(path, constants.O_WRONLY);
  try {
    work((text) => writeSync(fd, text));
  } finally {
    closeSync(fd);
  }
}

/** Tells whether an error of Node is one of these. */
export function isErrno(error: unknown, ...codes: string[]): boolean {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return code !== undefined && codes.includes(code);
}
