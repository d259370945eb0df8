import { setTimeout as delay } from 'node:timers/promises';
import { teuError } from '@teu/errors';
import { clock } from '@teu/ids';
import type { StatsEntry, WatchStatsResponse } from '@teu/proto/cgroup';
import type { CgroupTree } from '../tree/cgroup-tree.js';
import type { Figures } from './figures.js';
import { nextSampleTime } from './sample-times.js';
import { selectSubjects } from './select-subjects.js';
import type { Watch } from './watch-request.js';

/** Streams at one time; each costs as much as it reads. */
const WATCHES_MAX = 64;
/** Entries of one message. */
const CHUNK_ENTRIES = 100;

/** A reading of another stream serves as well if it is not older than this part of the interval. */
const SHARED_PART = 0.1;

/** The streams of figures. */
export class StatsWatches {
  readonly #tree: CgroupTree;
  readonly #figures: Figures;
  #open = 0;

  constructor(tree: CgroupTree, figures: Figures) {
    this.#tree = tree;
    this.#figures = figures;
  }

  /**
   * Samples until the reader has had enough. A reader who is slow is asked for by nobody: there are fewer samples then.
   *
   * @throws RESOURCE_EXHAUSTED if too many watch; CGROUP_NOT_FOUND
   */
  async *watch(watch: Watch, signal: AbortSignal): AsyncGenerator<WatchStatsResponse> {
    if (this.#open >= WATCHES_MAX) {
      throw teuError('RESOURCE_EXHAUSTED', `${WATCHES_MAX} streams of figures are open already`);
    }
    this.#open += 1;
    try {
      for (const id of watch.ids) this.#tree.checkExists(id);
      for (let count = 1; ; count += 1) {
        yield* chunks(await this.#sample(watch, signal));
        if (count >= watch.sampleCount || signal.aborted) return;
        const now = clock.monotonicMs();
        await delay(nextSampleTime(now, watch.intervalMs) - now, undefined, { signal });
      }
    } finally {
      this.#open -= 1;
    }
  }

  async #sample(watch: Watch, signal: AbortSignal): Promise<StatsEntry[]> {
    const subjects = selectSubjects(this.#tree, watch);
    return this.#figures.readAll(subjects, watch.intervalMs * SHARED_PART, signal);
  }
}

function* chunks(entries: readonly StatsEntry[]): Generator<WatchStatsResponse> {
  let begin = 0;
  do {
    const end = begin + CHUNK_ENTRIES;
    yield { entries: entries.slice(begin, end), complete: end >= entries.length };
    begin = end;
  } while (begin < entries.length);
}
