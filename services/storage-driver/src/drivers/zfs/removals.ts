import { teuError } from '@teu/errors';
import type { Datasets } from './datasets.js';
import type { LayerDatasets } from './layer-datasets.js';
import type { LayerMounts } from './layer-mounts.js';
import { tryPatiently } from '../../patience.js';
import { mountedDatasets } from './zfs-mounts.js';

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
    const failures: unknown[] = [];
    await this.#untilDone(async () => (await this.#destroyOnce([id], failures)).left === 0);
    if (failures.length > 0) throw failures[0];
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
      // The youngest first: a layer cannot go before those that stand on it.
      const ids = [...this.#waiting].sort((a, b) => b - a);
      const { gone, left } = await this.#destroyOnce(ids, failures);
      return left === 0 || (gone > 0 && 'progress');
    });
    if (failures.length > 0) throw failures[0];
  }

  async #untilDone(work: () => Promise<boolean | 'progress'>): Promise<void> {
    if (!(await tryPatiently(work, this.#closing.signal))) throw inUse(this.#waiting.size);
  }

  /**
   * Destroys those that nobody has mounted: zfs(8) would take them from under whoever has, and zfs-fuse
   * keeps a dataset busy for ever that was told to go while a file in it was open.
   *
   * @returns How many are gone, and how many are in use.
   */
  async #destroyOnce(
    ids: readonly number[],
    failures: unknown[],
  ): Promise<{ gone: number; left: number }> {
    let left = 0;
    const each = async (some: readonly number[], work: (id: number) => Promise<boolean>) => {
      const done: number[] = [];
      for (const id of some) {
        try {
          if (await work(id)) done.push(id);
          else left += 1;
        } catch (error) {
          failures.push(error);
        }
      }
      return done;
    };
    // All of them first, because zfs-fuse takes a moment to notice.
    const unmounted = await each(ids, (id) => this.#mounts.drop(id));
    const mounted = mountedDatasets();
    const gone = await each(unmounted, (id) => this.#destroyUnless(mounted, id));
    for (const id of gone) this.#waiting.delete(id);
    return { gone: gone.length, left };
  }

  async #destroyUnless(mounted: ReadonlySet<string>, id: number): Promise<boolean> {
    const dataset = this.#layers.dataset(id);
    return !mounted.has(dataset) && (await this.#datasets.destroy(dataset));
  }
}

function inUse(count: number): Error {
  const text = `${count} removed snapshots are still in use; they are deleted when they are not`;
  return teuError('CONFLICT', text);
}
