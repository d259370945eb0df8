import { existsSync } from 'node:fs';
import { parseFirstNumber, type FileText } from '../domain/file-text.js';
import type { FigureFiles } from '../domain/stats.js';
import { isErrno } from '../tree/group-files.js';
import type { OpenFiles } from './open-files.js';

/** Thrown when a group is not there (any more). */
export class GroupGone extends Error {}

/** How old a limit may be. */
const LIMIT_AGE_MS = 10_000;
/** In the place of a descriptor: this kernel does not have the file, or does not fill it. */
const ABSENT = -1;

/** Files of one directory of a group. */
export class DirectoryFiles implements FigureFiles {
  readonly #path: string;
  readonly #files: OpenFiles;
  readonly #descriptors = new Map<string, number>();
  readonly #limits = new Map<string, { value: number | undefined; readMs: number }>();

  constructor(path: string, files: OpenFiles) {
    this.#path = path;
    this.#files = files;
  }

  /** @throws GroupGone */
  read(name: string): FileText | undefined {
    const kept = this.#descriptors.get(name);
    if (kept === ABSENT) return undefined;
    const fd = kept ?? this.#open(name);
    if (fd === ABSENT) return undefined;
    try {
      return this.#files.read(fd);
    } catch (error) {
      if (isErrno(error, 'ENODEV')) throw new GroupGone();
      if (!isErrno(error, 'EOPNOTSUPP')) throw error;
      return undefined;
    } finally {
      if (kept === undefined) this.#keepOrClose(name, fd);
    }
  }

  limit(name: string): number | undefined {
    const nowMs = performance.now();
    const known = this.#limits.get(name);
    if (known !== undefined && nowMs - known.readMs < LIMIT_AGE_MS) return known.value;
    const text = this.#readOnce(name);
    const value = text === undefined ? undefined : parseFirstNumber(text);
    this.#limits.set(name, { value, readMs: nowMs });
    return value;
  }

  close(): void {
    for (const fd of this.#descriptors.values()) if (fd !== ABSENT) this.#files.close(fd, true);
    this.#descriptors.clear();
    this.#limits.clear();
  }

  /** Limits are read so seldom that keeping their files open does not pay. */
  #readOnce(name: string): FileText | undefined {
    const fd = this.#open(name);
    if (fd === ABSENT) return undefined;
    try {
      return this.#files.read(fd);
    } catch (error) {
      if (isErrno(error, 'ENODEV')) throw new GroupGone();
      throw error;
    } finally {
      this.#files.close(fd, false);
    }
  }

  #keepOrClose(name: string, fd: number): void {
    if (this.#files.mayKeep()) this.#descriptors.set(name, fd);
    else this.#files.close(fd, false);
  }

  #open(name: string): number {
    for (let isSecondTry = false; ; isSecondTry = true) {
      try {
        return this.#files.open(`${this.#path}/${name}`);
      } catch (error) {
        if (isErrno(error, 'ENODEV')) throw new GroupGone();
        if (!isErrno(error, 'ENOENT', 'EOPNOTSUPP')) throw error;
        if (!existsSync(this.#path)) throw new GroupGone();
        // Removed and made again in between, if the second try finds it.
        if (!isSecondTry) continue;
        this.#descriptors.set(name, ABSENT);
        return ABSENT;
      }
    }
  }
}
