import { existsSync } from 'node:fs';
import type { FileText } from '../domain/file-text.js';
import type { FigureFiles } from '../domain/stats.js';
import { isErrno } from '../tree/group-files.js';
import { LimitsAbove } from './limits-above.js';
import type { OpenFiles } from './open-files.js';
import { SpreadSpan } from './spread-span.js';

/** Thrown when a group is not there (any more). */
export class GroupGone extends Error {}

/** How old what changes seldom may be. */
const seldomMs = new SpreadSpan(15_000, 30_000);
/** In the place of a descriptor: this kernel does not have the file, or does not fill it. */
const ABSENT = -1;

/** Files of one directory of a group. */
export class DirectoryFiles implements FigureFiles {
  readonly #path: string;
  readonly #files: OpenFiles;
  readonly #above: LimitsAbove;
  readonly #descriptors = new Map<string, number>();
  readonly #seldom = new Map<string, { value: unknown; untilMs: number }>();
  readonly #seldomMs: number;

  constructor(path: string, files: OpenFiles, above = new LimitsAbove(files)) {
    this.#path = path;
    this.#files = files;
    this.#above = above;
    this.#seldomMs = seldomMs.next();
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

  seldom<T>(name: string, parse: (text: FileText) => T): T | undefined {
    const nowMs = performance.now();
    const known = this.#seldom.get(name);
    if (known !== undefined && nowMs < known.untilMs) return known.value as T | undefined;
    const text = this.#readOnce(name);
    const value = text && parse(text);
    this.#seldom.set(name, { value, untilMs: nowMs + this.#seldomMs });
    return value;
  }

  limitAbove(name: string): number {
    return this.#above.above(this.#path, name);
  }

  close(): void {
    for (const fd of this.#descriptors.values()) if (fd !== ABSENT) this.#files.close(fd, true);
    this.#descriptors.clear();
    this.#seldom.clear();
  }

  /** What is read so seldom is not worth a file that is kept open. */
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
