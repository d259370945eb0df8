import type { Journal } from './journal.js';

/**
 * Writes the newest value of each key. While the disk is full one change waits for each, however often it becomes
 * other: what is only kept must not push out of the journal what is told.
 */
export class LatestValues<Value> {
  readonly #journal: Journal;
  readonly #write: (key: string, value: Value) => void;
  readonly #waiting = new Map<string, Value>();

  /** @param write - Writes one into the store, in a transaction. */
  constructor(journal: Journal, write: (key: string, value: Value) => void) {
    this.#journal = journal;
    this.#write = write;
  }

  /** Writes a value, now or when it can be. Lost in a power cut, for what is kept here the kernel forgets then too. */
  set(key: string, value: Value): void {
    const isWaiting = this.#waiting.has(key);
    this.#waiting.set(key, value);
    if (isWaiting) return;
    const write = (): void => {
      const newest = this.#waiting.get(key);
      if (newest !== undefined) this.#write(key, newest);
    };
    const settle = (): void => void this.#waiting.delete(key);
    this.#journal.write(write, { durable: false, done: settle, lost: settle });
  }

  /** Forgets a value that waits; one that is set afterwards is written after what is written now. */
  forget(key: string): void {
    this.#waiting.delete(key);
  }
}
