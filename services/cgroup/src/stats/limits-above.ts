import { dirname } from 'node:path';
import { parseFirstNumber } from '../domain/file-text.js';
import { smallerLimit } from '../domain/stats.js';
import { isErrno } from '../tree/group-files.js';
import type { OpenFiles } from './open-files.js';
import { SpreadSpan } from './spread-span.js';

/** How old a limit may be. */
const oldMs = new SpreadSpan(15_000, 30_000);
/** Groups come and go: the limits of so many are remembered, then all are read anew. */
const KNOWN_MAX = 4096;

/** Limits of the groups above others. A thousand containers of one group read its limits once. */
export class LimitsAbove {
  readonly #files: OpenFiles;
  readonly #known = new Map<string, { limit: number; untilMs: number }>();

  constructor(files: OpenFiles) {
    this.#files = files;
  }

  /**
   * @param directory - Of a group.
   * @param name - Of the file with the limit, "pids.max" for example.
   * @returns The smallest limit in the directories above, up to where there is no such file; -1 for none.
   */
  above(directory: string, name: string): number {
    return this.#smallestFrom(dirname(directory), name);
  }

  /** What has changed is read anew. */
  forget(): void {
    this.#known.clear();
  }

  #smallestFrom(directory: string, name: string): number {
    const file = `${directory}/${name}`;
    const nowMs = performance.now();
    const known = this.#known.get(file);
    if (known !== undefined && nowMs < known.untilMs) return known.limit;
    const own = this.#read(file);
    const limit = own === undefined ? -1 : smallerLimit(own, this.above(directory, name));
    if (this.#known.size >= KNOWN_MAX) this.#known.clear();
    this.#known.set(file, { limit, untilMs: nowMs + oldMs.next() });
    return limit;
  }

  /** Undefined above the hierarchy, at its root, and where a controller is not passed on. */
  #read(file: string): number | undefined {
    let fd: number;
    try {
      fd = this.#files.open(file);
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'ENODEV', 'EOPNOTSUPP')) return undefined;
      throw error;
    }
    try {
      return parseFirstNumber(this.#files.read(fd));
    } catch (error) {
      if (isErrno(error, 'ENODEV', 'EOPNOTSUPP')) return undefined;
      throw error;
    } finally {
      this.#files.close(fd, false);
    }
  }
}
