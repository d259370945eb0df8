import { clock } from '@teu/ids';
import type { ContainerNames } from '../cgroup-parts.js';
import { groupOfKey, isGroupKey } from '../domain/group-path.js';
import type { CgroupTree } from '../tree/cgroup-tree.js';
import { figureDirectories } from './figure-directories.js';
import { GroupGone } from './directory-files.js';
import { GroupFigures } from './group-figures.js';
import { LimitsAbove } from './limits-above.js';
import { OpenFiles } from './open-files.js';
import { Reading, type Identity } from './reading.js';
import { Turns } from './turns.js';

/** Files of a group that nobody has asked for so long are closed. */
const IDLE_MS = 60_000;

/** What reading has cost since the start. */
export interface FiguresCost {
  readonly sampleCount: number;
  /** Groups that were read; what others had read already is not counted. */
  readonly readCount: number;
  readonly busyMs: number;
}

interface Subject {
  readonly figures: GroupFigures;
  reading: Reading | undefined;
}

/** The figures of all groups, for those who read them again and again. What they read at the same moment they share. */
export class Figures {
  readonly #tree: CgroupTree;
  readonly #names: ContainerNames;
  readonly #files: OpenFiles;
  readonly #above: LimitsAbove;
  readonly #subjects = new Map<string, Subject>();
  readonly #idleTimer: NodeJS.Timeout;
  readonly #turns = new Turns();
  #sampleCount = 0;
  #readCount = 0;

  /** @param files - What may be kept open; others may share it. */
  constructor(tree: CgroupTree, names: ContainerNames, files = new OpenFiles()) {
    this.#tree = tree;
    this.#names = names;
    this.#files = files;
    this.#above = new LimitsAbove(files);
    this.#idleTimer = setInterval(() => this.#closeIdle(), IDLE_MS / 2).unref();
  }

  /** Files that are open. */
  get openFileCount(): number {
    return this.#files.count;
  }

  /** What reading has cost so far. */
  get cost(): FiguresCost {
    return {
      sampleCount: this.#sampleCount,
      readCount: this.#readCount,
      busyMs: this.#turns.busyMs,
    };
  }

  /**
   * Reads the figures of many, a few milliseconds at a time. What is gone meanwhile is left out.
   *
   * @param subjects - Ids of containers, and directories of groups.
   * @param maxAgeMs - A reading that is not older serves as well.
   */
  async readAll(
    subjects: readonly string[],
    maxAgeMs: number,
    signal?: AbortSignal,
  ): Promise<Reading[]> {
    this.#sampleCount += 1;
    const readings: Reading[] = [];
    const read = (index: number): void => {
      const reading = this.reading(subjects[index] ?? '', maxAgeMs);
      if (reading !== undefined) readings.push(reading);
    };
    await this.#turns.run(subjects.length, read, signal);
    return readings;
  }

  /**
   * Returns the figures of a container as they are now, or of a group of containers.
   *
   * @param id - Of the container; of a group its directory.
   * @param maxAgeMs - A reading that is not older serves as well.
   * @returns Undefined if its cgroup is gone, or not whole yet.
   */
  reading(id: string, maxAgeMs: number): Reading | undefined {
    const nowMs = clock.monotonicMs();
    const known = this.#subjects.get(id);
    if (known?.reading !== undefined && nowMs - known.reading.readMs <= maxAgeMs) {
      return known.reading;
    }
    // What is gone may have been made again under the same id.
    const reading = this.#read(id, known, nowMs);
    return reading ?? (known === undefined ? undefined : this.#read(id, undefined, nowMs));
  }

  /** Closes the files of a container or group: it is removed, or its limits have changed. */
  forget(id: string): void {
    if (isGroupKey(id)) this.#above.forget();
    this.#subjects.get(id)?.figures.close();
    this.#subjects.delete(id);
  }

  close(): void {
    clearInterval(this.#idleTimer);
    for (const id of this.#subjects.keys()) this.forget(id);
  }

  #read(id: string, known: Subject | undefined, nowMs: number): Reading | undefined {
    const subject = known ?? this.#open(id);
    try {
      const stats = subject.figures.read();
      subject.reading = new Reading(this.#identityOf(id), stats, nowMs, subject.reading);
      this.#readCount += 1;
      return subject.reading;
    } catch (error) {
      this.forget(id);
      if (error instanceof GroupGone) return undefined;
      throw error;
    }
  }

  #identityOf(id: string): Identity {
    if (isGroupKey(id)) return { containerId: '', name: '', group: groupOfKey(id) };
    return { containerId: id, name: this.#names(id), group: this.#tree.placeOf(id) };
  }

  #open(id: string): Subject {
    const figures = new GroupFigures(figureDirectories(this.#tree, id), this.#files, this.#above);
    const subject: Subject = { figures, reading: undefined };
    this.#subjects.set(id, subject);
    return subject;
  }

  /** A group that somebody else removed is found here, if nobody reads it any more. */
  #closeIdle(): void {
    const nowMs = clock.monotonicMs();
    for (const [id, { reading }] of this.#subjects) {
      if (reading === undefined || nowMs - reading.readMs >= IDLE_MS) this.forget(id);
    }
  }
}
