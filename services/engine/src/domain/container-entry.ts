import { ContainerState, type Container, type ContainerExit } from '@teu/proto/engine';
import type { EarlyExit } from './early-exit.js';
import { Mutex } from './mutex.js';

/** A container in memory: its record as it is on disk, its lock, and who waits for its end. */
export class ContainerEntry {
  /** Held by whoever changes the container. */
  readonly mutex = new Mutex();
  readonly id: string;
  readonly #waiters = new Set<() => void>();
  #container: Container;
  #removed = false;
  /** Boot of the machine in which it last started; empty if it never has. */
  bootId: string;

  /** Order of creation; 0 until it is recorded. */
  position: number;
  /** Where the end of its program is put while its start is not recorded yet. */
  earlyExit: EarlyExit | undefined;

  constructor(container: Container, position: number, bootId = '') {
    this.id = container.id;
    this.position = position;
    this.#container = container;
    this.bootId = bootId;
  }

  /** The record as it was last committed, also after the removal. Never changed in place. */
  get container(): Container {
    return this.#container;
  }

  get running(): boolean {
    return this.#container.state === ContainerState.CONTAINER_STATE_RUNNING && !this.#removed;
  }

  get removed(): boolean {
    return this.#removed;
  }

  /** Takes over a record that was committed. */
  accept(container: Container, bootId = this.bootId): void {
    this.#container = container;
    this.bootId = bootId;
    if (!this.running) this.#wake();
  }

  /** Takes note that the row is gone. */
  markRemoved(): void {
    this.#removed = true;
    this.#wake();
  }

  /**
   * Waits until the container does not run. Resolves at once if it doesn't now; undefined if it was removed
   * without ever having run, or when the signal fires.
   */
  async waitUntilStopped(signal?: AbortSignal): Promise<ContainerExit | undefined> {
    while (this.running && !signal?.aborted) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          this.#waiters.delete(done);
          signal?.removeEventListener('abort', done);
          resolve();
        };
        this.#waiters.add(done);
        signal?.addEventListener('abort', done);
      });
    }
    return this.running ? undefined : this.#container.exit;
  }

  #wake(): void {
    for (const waiter of [...this.#waiters]) waiter();
  }
}
