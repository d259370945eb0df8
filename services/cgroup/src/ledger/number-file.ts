import { readSync } from 'node:fs';
import type { OpenFiles } from '../stats/open-files.js';
import { isErrno } from '../tree/group-files.js';

/** Numbers of the kernel have at most 20 digits. */
const buffer = Buffer.alloc(32);
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;

/** A file of the kernel with one number, kept open as long as there is room: reading it again is then one system call. */
export class NumberFile {
  readonly #path: string;
  readonly #files: OpenFiles;
  #fd: number | undefined;

  /** @param files what may be kept open */
  constructor(path: string, files: OpenFiles) {
    this.#path = path;
    this.#files = files;
  }

  /**
   * The number as it is now; undefined if the cgroup is gone, or does not have the file.
   *
   * @throws EMFILE, ENFILE (open(2)) when no file can be opened now
   */
  read(): number | undefined {
    try {
      if (this.#fd !== undefined) return readNumber(this.#fd);
      const fd = this.#files.open(this.#path);
      if (this.#files.mayKeep()) this.#fd = fd;
      try {
        return readNumber(fd);
      } finally {
        if (this.#fd === undefined) this.#files.close(fd, false);
      }
    } catch (error) {
      if (isErrno(error, 'ENODEV', 'ENOENT')) return undefined;
      throw error;
    }
  }

  close(): void {
    if (this.#fd !== undefined) this.#files.close(this.#fd, true);
    this.#fd = undefined;
  }
}

function readNumber(fd: number): number | undefined {
  return numberOf(readSync(fd, buffer, 0, buffer.length, 0));
}

function numberOf(length: number): number | undefined {
  let value = 0;
  let index = 0;
  for (; index < length; index += 1) {
    const byte = buffer[index] ?? 0;
    if (byte < DIGIT_0 || byte > DIGIT_9) break;
    value = value * 10 + (byte - DIGIT_0);
  }
  return index === 0 ? undefined : value;
}
