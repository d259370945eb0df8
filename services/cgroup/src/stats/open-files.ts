import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { FileText } from '../domain/file-text.js';

const FIRST_BUFFER_BYTES = 64 * 1024;
/** No file of a group is longer; what is, is cut off. */
const BUFFER_BYTES_MAX = 4 * 1024 * 1024;
/** Descriptors that are left to the rest of the process. */
const RESERVE = 1024;

/**
 * Files that are kept open to be read again: opening and closing one takes five times as long as reading it. All are
 * read into one buffer. When the process may open no more, the rest is opened for each reading.
 */
export class OpenFiles {
  readonly #keepMax: number;
  readonly #text = new FileText(Buffer.allocUnsafe(FIRST_BUFFER_BYTES));
  #kept = 0;

  /** @param keepMax - Most files to keep open. */
  constructor(keepMax = keepLimit(readFileSync('/proc/self/limits', 'latin1'))) {
    this.#keepMax = keepMax;
  }

  /** How many are open. */
  get count(): number {
    return this.#kept;
  }

  /** Opens a file. Throws Node's error. */
  open(path: string): number {
    return openSync(path, 'r');
  }

  /** @returns Whether a file that was opened may stay open; {@link close} counts it down then. */
  mayKeep(): boolean {
    if (this.#kept >= this.#keepMax) return false;
    this.#kept += 1;
    return true;
  }

  close(fd: number, wasKept: boolean): void {
    if (wasKept) this.#kept -= 1;
    closeSync(fd);
  }

  /** Reads a file from its beginning. The text is good until the next call. Throws Node's error. */
  read(fd: number): FileText {
    const text = this.#text;
    for (;;) {
      text.length = readSync(fd, text.bytes, 0, text.bytes.length, 0);
      if (text.length < text.bytes.length || text.length >= BUFFER_BYTES_MAX) return text;
      text.bytes = Buffer.allocUnsafe(text.bytes.length * 2);
    }
  }
}

/**
 * How many files may be kept open.
 *
 * @param limits - /proc/self/limits (proc_pid_limits(5)).
 */
export function keepLimit(limits: string): number {
  const soft = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Infinity);
  return Math.max(soft - RESERVE, Math.floor(soft / 2));
}
