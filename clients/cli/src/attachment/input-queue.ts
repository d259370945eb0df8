/**
 * Things on their way to one reader. A push resolves when its item was taken, so a writer that waits
 * for it is as slow as the reader.
 */
export class InputQueue<T> implements AsyncIterable<T> {
  #items: { item: T; taken: () => void }[] = [];
  #wake: (() => void) | undefined;
  #ended = false;

  push(item: T): Promise<void> {
    if (this.#ended) return Promise.resolve();
    return new Promise((taken) => {
      this.#items.push({ item, taken });
      this.#wake?.();
    });
  }

  /** Ends the reader's loop; what was not taken is dropped. */
  end(): void {
    this.#ended = true;
    for (const { taken } of this.#items.splice(0)) taken();
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<T> {
    while (!this.#ended) {
      const next = this.#items.shift();
      if (next === undefined) {
        await new Promise<void>((wake) => {
          this.#wake = wake;
        });
        continue;
      }
      next.taken();
      yield next.item;
    }
  }
}
