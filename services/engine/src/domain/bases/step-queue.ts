/** News of work that goes on whether anybody reads them or not, for at most one reader, from the first on. */
export class StepQueue<T> {
  readonly #steps: T[] = [];
  #wake = Promise.withResolvers<undefined>();
  #isEnded = false;
  #failure: Error | undefined;
  #isRead = true;

  /** Tells one. Nothing is kept for a reader that has gone. */
  push(step: T): void {
    if (!this.#isRead) return;
    this.#steps.push(step);
    this.#wake.resolve(undefined);
  }

  /** There will be no more. */
  end(): void {
    this.#isEnded = true;
    this.#wake.resolve(undefined);
  }

  /** There will be no more, and this is why. */
  fail(error: Error): void {
    this.#failure = error;
    this.end();
  }

  /** Reads to the end, or until the signal fires. */
  async *read(signal: AbortSignal): AsyncGenerator<T, void, undefined> {
    const leave = (): void => this.#wake.resolve(undefined);
    signal.addEventListener('abort', leave);
    try {
      while (!signal.aborted) {
        const step = this.#steps.shift();
        if (step !== undefined) yield step;
        else if (this.#failure !== undefined) throw this.#failure;
        else if (this.#isEnded) return;
        else {
          await this.#wake.promise;
          this.#wake = Promise.withResolvers<undefined>();
        }
      }
    } finally {
      this.#isRead = false;
      this.#steps.length = 0;
      signal.removeEventListener('abort', leave);
    }
  }
}
