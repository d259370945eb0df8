import { closeSync, openSync, readSync } from 'node:fs';
import { isErrno } from '../tree/group-files.js';

/** Numbers of the kernel have at most 20 digits. */
const buffer = Buffer.alloc(32);
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;

/** A file of the kernel with one number, kept open: reading it again is then one system call. */
export class NumberFile {
  #fd: number | undefined;

  /** A file that is not there, or cannot be opened now, has no number. */
  constructor(path: string) {
    try {
      this.#fd = openSync(path, 'r');
    } catch (error) {
      if (!isErrno(error, 'ENOENT', 'ENODEV', 'EMFILE', 'ENFILE')) throw error;
    }
  }

  /** The number as it is now; undefined if the cgroup is gone. */
  read(): number | undefined {
    if (this.#fd === undefined) return undefined;
    try {
      return numberOf(readSync(this.#fd, buffer, 0, buffer.length, 0));
    } catch (error) {
      if (isErrno(error, 'ENODEV', 'ENOENT')) return undefined;
      throw error;
    }
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
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
