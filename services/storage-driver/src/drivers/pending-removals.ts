import { teuError } from '@teu/errors';
import { tryPatiently } from './patience.js';

/** What is in use for longer is tried again in the background. */
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;

/** What one attempt to remove several has come to. What is neither gone nor in use has failed. */
export interface RemovalAttempt {
  readonly gone: readonly number[];
  readonly inUseCount: number;
  readonly failures: readonly unknown[];
}

/**
 * Looks at each of several.
 * @param remove returns whether it is gone; false if it is in use
 */
export async function attemptEach(
  ids: readonly number[],
  remove: (id: number) => Promise<boolean>,
): Promise<RemovalAttempt> {
  const gone: number[] = [];
  const failures: unknown[] = [];
  for (const id of ids) {
    try {
      if (await remove(id)) gone.push(id);
    } catch (error) {
      failures.push(error);
    }
  }
  return { gone, failures, inUseCount: ids.length - gone.length - failures.length };
}

/**
 * Layers that nobody is to see any more. It is enough to know them here: what is left at the end of
 * the process is found by the next start, because no record knows it.
 */
export class PendingRemovals {
  readonly #attempt: (ids: readonly number[]) => Promise<RemovalAttempt>;
  readonly #waiting = new Set<number>();
  readonly #closing = new AbortController();
  #retry: NodeJS.Timeout | undefined;
  #retryMs = FIRST_RETRY_MS;

  constructor(attempt: (ids: readonly number[]) => Promise<RemovalAttempt>) {
    this.#attempt = attempt;
  }

  add(id: number): void {
    this.#waiting.add(id);
  }

  has(id: number): boolean {
    return this.#waiting.has(id);
  }

  ids(): number[] {
    return [...this.#waiting];
  }

  /**
   * Removes all that waits. What is in use holds nothing else up, and is tried again later.
   *
   * @throws CONFLICT if some of it is still in use; the first failure of another kind
   */
  async run(): Promise<void> {
    clearTimeout(this.#retry);
    try {
      await this.#removePatiently(() => this.ids());
      this.#retryMs = FIRST_RETRY_MS;
    } finally {
      if (this.#waiting.size > 0 && !this.#closing.signal.aborted) this.#tryLater();
    }
  }

  /** Removes one now. @throws CONFLICT if it is in use; a failure of another kind */
  async remove(id: number): Promise<void> {
    this.add(id);
    await this.#removePatiently(() => [id]);
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

  async #removePatiently(wanted: () => readonly number[]): Promise<void> {
    let last: RemovalAttempt = { gone: [], inUseCount: 0, failures: [] };
    await tryPatiently(async () => {
      last = await this.#attempt(wanted());
      for (const id of last.gone) this.#waiting.delete(id);
      return last.inUseCount === 0 || (last.gone.length > 0 && 'progress');
    }, this.#closing.signal);
    if (last.failures.length > 0) throw last.failures[0];
    if (last.inUseCount > 0) throw inUse(last.inUseCount);
  }
}

function inUse(count: number): Error {
  const text = `${count} removed snapshots are still in use; they are deleted when they are not`;
  return teuError('CONFLICT', text);
}
