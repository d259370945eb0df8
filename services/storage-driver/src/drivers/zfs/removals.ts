import { teuError } from '@teu/errors';
import type { Datasets } from './datasets.js';
import type { LayerDatasets } from './layer-datasets.js';
import type { LayerMounts } from './layer-mounts.js';
import { tryPatiently } from './patience.js';

/** What is busy for longer is tried again in the background. */
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;

/**
 * Layers that nobody is to see any more. It is enough to know them here: what is left at the end of
 * the process is found by the next start, because no record knows it.
 */
export class Removals {
  readonly #datasets: Datasets;
  readonly #layers: LayerDatasets;
  readonly #mounts: LayerMounts;
  readonly #waiting = new Set<number>();
  #retry: NodeJS.Timeout | undefined;
  #retryMs = FIRST_RETRY_MS;
  readonly #closing = new AbortController();

  constructor(datasets: Datasets, layers: LayerDatasets, mounts: LayerMounts) {
    this.#datasets = datasets;
    this.#layers = layers;
    this.#mounts = mounts;
  }

  add(id: number): void {
    this.#waiting.add(id);
  }

  has(id: number): boolean {
    return this.#waiting.has(id);
  }

  datasets(): string[] {
    return [...this.#waiting].map((id) => this.#layers.dataset(id));
  }

  /**
   * Destroys all that waits. What is busy holds nothing else up, and is tried again later.
   *
   * @throws CONFLICT if some of it is still in use; the first failure of another kind
   */
  async run(): Promise<void> {
    clearTimeout(this.#retry);
    try {
      await this.#destroyAll();
      this.#retryMs = FIRST_RETRY_MS;
    } finally {
      if (this.#waiting.size > 0 && !this.#closing.signal.aborted) this.#tryLater();
    }
  }

  /** Destroys a layer now. @throws CONFLICT if it is in use */
  async destroy(id: number): Promise<void> {
    this.add(id);
    await this.#untilDone(() => this.#destroyOnce(id));
  }

  close(): void {
    this.#closing.abort();
    clearTimeout(this.#retry);
  }

  #tryLater(): void {
    this.#retry = setTimeout(() => {
      // What is wrong is told to whoever asks for it.
      void this.run().catch(() => undefined);
    }, this.#retryMs);
    this.#retry.unref();
    this.#retryMs = Math.min(this.#retryMs * 2, LONGEST_RETRY_MS);
  }

  async #destroyAll(): Promise<void> {
    const failures: unknown[] = [];
    await this.#untilDone(async () => {
      failures.length = 0;
      let [gone, left] = [0, 0];
      // The youngest first: a layer cannot go before those that stand on it.
      for (const id of [...this.#waiting].sort((a, b) => b - a)) {
        try {
          if (await this.#destroyOnce(id)) gone += 1;
          else left += 1;
        } catch (error) {
          failures.push(error);
        }
      }
      return left === 0 || (gone > 0 && 'progress');
    });
    if (failures.length > 0) throw failures[0];
  }

  async #untilDone(work: () => Promise<boolean | 'progress'>): Promise<void> {
    if (!(await tryPatiently(work, this.#closing.signal))) throw inUse(this.#waiting.size);
  }

  /** Returns whether it is gone. */
  async #destroyOnce(id: number): Promise<boolean> {
    // zfs(8) would unmount it from under whoever else has mounted it.
    if (!(await this.#mounts.drop(id))) return false;
    if (!(await this.#datasets.destroy(this.#layers.dataset(id)))) return false;
    this.#waiting.delete(id);
    return true;
  }
}

function inUse(count: number): Error {
  const text = `${count} removed snapshots are still in use; they are deleted when they are not`;
  return teuError('CONFLICT', text);
}
