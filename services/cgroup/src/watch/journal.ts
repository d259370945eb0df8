import type { Logger } from '@teu/log';
import type { Store } from '@teu/state';

/** How long after a failed write it is tried again, at first and at most. */
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;
/** Changes that wait at most: a full disk must not fill memory too. */
export const WAITING_MAX = 10_000;

interface WriteOptions {
  /** Whether it outlasts a power cut. */
  readonly durable?: boolean;
  /** Called once it is written. */
  readonly done?: () => void;
  /** Called when it is given up, because too much waits. */
  readonly lost?: () => void;
}

/** A change of the store, and what is to happen once it is there. */
interface Change {
  readonly write: () => void;
  readonly durable: boolean;
  readonly done: () => void;
  readonly lost: () => void;
}

/**
 * Writes what the kernel has told, in order, and never throws: nobody waits for it, and that the disk is full is no
 * reason to hear no more. What cannot be written is kept and tried again, all of it in one transaction.
 */
export class Journal {
  readonly #store: Store;
  readonly #log: Logger;
  #waiting: Change[] = [];
  #depth = 0;
  #pauseMs = FIRST_PAUSE_MS;
  #timer: NodeJS.Timeout | undefined;
  #lostCount = 0;

  constructor({ store, log }: { store: Store; log: Logger }) {
    this.#store = store;
    this.#log = log;
  }

  /**
   * Writes, now or when it can be.
   *
   * @param write - Runs in a transaction; again if that fails.
   */
  write(
    write: () => void,
    { durable = true, done = () => undefined, lost = () => undefined }: WriteOptions = {},
  ): void {
    this.#waiting.push({ write, durable, done, lost });
    // While a write has failed others wait for its turn.
    if (this.#depth === 0 && this.#timer === undefined) this.#flush();
    this.#bound();
  }

  /** Writes together what `fn` writes. */
  together(fn: () => void): void {
    this.#depth += 1;
    try {
      fn();
    } finally {
      this.#depth -= 1;
    }
    if (this.#depth === 0 && this.#timer === undefined) this.#flush();
  }

  /** Tries once more to write what waits, and ends. */
  close(): void {
    clearTimeout(this.#timer);
    this.#flush();
    clearTimeout(this.#timer);
  }

  #flush(): void {
    this.#timer = undefined;
    const changes = this.#waiting;
    if (changes.length === 0) return;
    const durable = changes.some((change) => change.durable);
    try {
      this.#store.transaction(() => changes.forEach(({ write }) => write()), { durable });
    } catch (error) {
      this.#later(error);
      return;
    }
    if (this.#pauseMs > FIRST_PAUSE_MS)
      this.#log.info({ count: changes.length }, 'what the kernel told of groups is written again');
    this.#pauseMs = FIRST_PAUSE_MS;
    this.#waiting = [];
    this.#lostCount = 0;
    for (const { done } of changes) done();
  }

  #later(error: unknown): void {
    if (this.#pauseMs === FIRST_PAUSE_MS) {
      const what = 'what the kernel told of groups cannot be written; it is kept and tried again';
      this.#log.error({ err: error }, what);
    } else {
      this.#log.debug({ err: error }, 'it still cannot be written');
    }
    this.#timer = setTimeout(() => this.#flush(), this.#pauseMs).unref();
    this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
  }

  #bound(): void {
    const excess = this.#waiting.length - WAITING_MAX;
    if (excess <= 0) return;
    for (const { lost } of this.#waiting.splice(0, excess)) lost();
    if (this.#lostCount === 0)
      this.#log.error({ limit: WAITING_MAX }, 'too much waits to be written; the oldest is lost');
    this.#lostCount += excess;
  }
}
