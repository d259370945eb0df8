import { setTimeout as delay } from 'node:timers/promises';
import { isTeuError, teuError } from '@teu/errors';
import type { StatsEntry, WatchStatsResponse } from '@teu/proto/cgroup';
import type { CgroupParts } from '../cgroup-parts.js';
import { readStats } from '../tree/group-stats.js';
import { nextSampleTime } from './sample-times.js';
import { Turns } from './turns.js';
import type { Watch } from './watch-request.js';

/** Streams at one time; each costs as much as it reads. */
const WATCHES_MAX = 64;
/** Entries of one message. */
const CHUNK_ENTRIES = 100;

/** The streams of figures. */
export class StatsWatches {
  readonly #parts: Pick<CgroupParts, 'tree' | 'names'>;
  readonly #turns = new Turns();
  #open = 0;

  constructor(parts: Pick<CgroupParts, 'tree' | 'names'>) {
    this.#parts = parts;
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
      for (const id of watch.ids) this.#parts.tree.checkExists(id);
      for (let count = 1; ; count += 1) {
        yield* chunks(await this.#sample(watch, signal));
        if (count >= watch.sampleCount || signal.aborted) return;
        const now = performance.now();
        await delay(nextSampleTime(now, watch.intervalMs) - now, undefined, { signal });
      }
    } finally {
      this.#open -= 1;
    }
  }

  async #sample(watch: Watch, signal: AbortSignal): Promise<StatsEntry[]> {
    const { tree, names } = this.#parts;
    const ids = watch.ids.length > 0 ? watch.ids : tree.ids();
    const entries: StatsEntry[] = [];
    const read = (index: number): void => {
      const containerId = ids[index] ?? '';
      try {
        tree.checkExists(containerId);
        const stats = readStats(tree, containerId);
        entries.push({ containerId, name: names(containerId), group: '', stats });
      } catch (error) {
        if (!isTeuError(error, 'CGROUP_NOT_FOUND')) throw error;
      }
    };
    await this.#turns.run(ids.length, read, signal);
    return entries;
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
