import { teuError } from '@teu/errors';
import { KernelError } from '../../native-program.js';
import { tryPatiently } from '../patience.js';
import type { ThinPool } from './thin-pool.js';

/** What is in use for longer is tried again in the background. */
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;
/** Room of a file system for its tables, beside what it has for files. */
const TABLES = 1.1;
/** What is worth the time to free it below the pool. */
const LEAST_BYTES = 4 << 20;

/**
 * Volumes that nobody is to see any more. It is enough to know them here: what is left at the end of the
 * process is found by the next start, because no record knows it.
 */
export class Removals {
  readonly #pool: ThinPool;
  readonly #freesBelow: boolean;
  readonly #waiting = new Set<number>();
  readonly #closing = new AbortController();
  #retry: NodeJS.Timeout | undefined;
  #retryMs = FIRST_RETRY_MS;

  /** @param freesBelow - Whether blocks are to be given back to what is below the pool, too. */
  constructor(pool: ThinPool, freesBelow: boolean) {
    this.#pool = pool;
    this.#freesBelow = freesBelow;
  }

  add(volume: number): void {
    this.#waiting.add(volume);
  }

  has(volume: number): boolean {
    return this.#waiting.has(volume);
  }

  volumes(): number[] {
    return [...this.#waiting];
  }

  /**
   * Deletes all that waits. What is in use holds nothing else up, and is tried again later.
   *
   * @throws CONFLICT if some of it is still in use; the first failure of another kind
   */
  async run(): Promise<void> {
    clearTimeout(this.#retry);
    const failures: unknown[] = [];
    try {
      const done = await tryPatiently(async () => {
        const before = this.#waiting.size;
        await this.#deleteOnce(this.volumes(), failures);
        if (this.#waiting.size === 0) return true;
        return this.#waiting.size < before && 'progress';
      }, this.#closing.signal);
      if (done) this.#retryMs = FIRST_RETRY_MS;
      else if (failures.length === 0) throw inUse(this.#waiting.size);
    } finally {
      if (this.#waiting.size > 0 && !this.#closing.signal.aborted) this.#tryLater();
    }
    if (failures.length > 0) throw failures[0];
  }

  /** Deletes a volume now. @throws CONFLICT if it is in use */
  async delete(volume: number): Promise<void> {
    this.add(volume);
    const failures: unknown[] = [];
    const isGone = await tryPatiently(async () => {
      await this.#deleteOnce([volume], failures);
      return failures.length > 0 || !this.#waiting.has(volume);
    }, this.#closing.signal);
    if (failures.length > 0) throw failures[0];
    if (!isGone) throw inUse(1);
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

  async #deleteOnce(volumes: readonly number[], failures: unknown[]): Promise<void> {
    failures.length = 0;
    for (const volume of volumes) {
      try {
        if (await this.#deleteOne(volume)) this.#waiting.delete(volume);
      } catch (error) {
        failures.push(error);
      }
    }
  }

  /** Returns whether it is gone. */
  async #deleteOne(volume: number): Promise<boolean> {
    await this.#pool.release(volume);
    try {
      if (this.#freesBelow) await this.#freeBelow(volume);
      if (!(await this.#pool.deactivate(volume))) return false;
      await this.#pool.delete(volume);
      return true;
    } catch (error) {
      // The kernel has not quite closed it.
      if (error instanceof KernelError && error.code === 'EBUSY') return false;
      throw error;
    }
  }

  /** Deleting a volume frees its blocks in the pool; only a discard goes further down. */
  async #freeBelow(volume: number): Promise<void> {
    if (((await this.#pool.timesOpened(volume)) ?? 0) > 0) return;
    if ((await this.#pool.ownBytes(volume)) < LEAST_BYTES) return;
    const blockBytes = await this.#pool.blockBytes();
    await this.#pool.activate(volume, 'rw');
    const { totalBytes } = await this.#pool.measure(volume);
    const bytes = Math.ceil((totalBytes * TABLES) / blockBytes) * blockBytes;
    await this.#pool.discardBlocks(volume, bytes);
  }
}

function inUse(count: number): Error {
  const text = `${count} removed snapshots are still in use; they are deleted when they are not`;
  return teuError('CONFLICT', text);
}
