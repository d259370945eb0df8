/**
 * Messages of a client that go to one stream after another: when a stream breaks, what it had not taken yet goes to
 * the next one.
 */
export class ResumableInput<T> {
  readonly #source: AsyncIterator<T>;
  #next: Promise<IteratorResult<T>> | undefined;

  constructor(source: AsyncIterable<T>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** The messages from here on, until the client ends or the signal fires. */
  async *read(signal: AbortSignal): AsyncGenerator<T, void, undefined> {
    while (!signal.aborted) {
      this.#next ??= this.#source.next();
      const result = await unlessAborted(this.#next, signal);
      if (result === undefined || result.done === true) return;
      this.#next = undefined;
      yield result.value;
    }
  }
}

/** Undefined if the signal fires first, or if the client broke off: its own stream tells it so, here it is silent. */
function unlessAborted<T>(next: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve) => {
    const stop = (): void => resolve(undefined);
    signal.addEventListener('abort', stop, { once: true });
    next.then(resolve, stop).finally(() => signal.removeEventListener('abort', stop));
  });
}

/** The input of a client that says nothing: it never ends, so that the stream stays open for the answers. */
export function noInput(): AsyncIterable<never> {
  return { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => undefined) }) };
}
