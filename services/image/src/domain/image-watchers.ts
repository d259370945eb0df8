/** A change that watchers are told of. */
export interface ImageChange {
  /** Within one watch, from 1. */
  number: number;
  /** Snapshots that are about to be removed; empty if a name changed its meaning. */
  snapshots: readonly string[];
}

/** How long a change waits for a watcher before it goes on without it. */
const PATIENCE_MS = 1_000;

/**
 * Those who keep answers of this service. A change is answered only after they have all acknowledged it: thus what
 * they keep is never older than an answer that anybody has got.
 */
export class ImageWatchers {
  readonly #watches = new Set<ImageWatch>();

  /** Begins a watch. */
  open(): ImageWatch {
    const watch = new ImageWatch((closed) => this.#watches.delete(closed));
    this.#watches.add(watch);
    return watch;
  }

  /** Tells all watchers of a change and waits for them; who does not acknowledge is cut off. */
  async announce(snapshots: readonly string[] = []): Promise<void> {
    await Promise.all([...this.#watches].map((watch) => watch.tell(snapshots)));
  }
}

/** One watcher. */
export class ImageWatch {
  readonly #onClose: (watch: ImageWatch) => void;
  readonly #queue: ImageChange[] = [];
  readonly #waiting = new Map<number, () => void>();
  #wake = Promise.withResolvers<undefined>();
  #last = 0;
  #closed = false;

  constructor(onClose: (watch: ImageWatch) => void) {
    this.#onClose = onClose;
  }

  /** Resolves when the change is acknowledged, or the watch is over. */
  async tell(snapshots: readonly string[]): Promise<void> {
    this.#last += 1;
    const number = this.#last;
    this.#queue.push({ number, snapshots });
    this.#wake.resolve(undefined);
    const timer = setTimeout(() => this.close(), PATIENCE_MS);
    await new Promise<void>((resolve) => this.#waiting.set(number, resolve));
    clearTimeout(timer);
  }

  /** Takes note that everything up to this number is acknowledged. */
  acknowledge(upTo: number): void {
    for (const [number, resolve] of this.#waiting) {
      if (number > upTo) continue;
      this.#waiting.delete(number);
      resolve();
    }
  }

  /** The changes, as they come, until the watch is closed. */
  async *changes(): AsyncGenerator<ImageChange, void, undefined> {
    while (!this.#closed) {
      const change = this.#queue.shift();
      if (change !== undefined) {
        yield change;
        continue;
      }
      await this.#wake.promise;
      this.#wake = Promise.withResolvers<undefined>();
    }
  }

  /** Ends the watch; nobody waits for it any more. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#onClose(this);
    this.acknowledge(this.#last);
    this.#wake.resolve(undefined);
  }
}
