/** The layer below another one, which may still be on its way into the driver. */
export interface LayerBelow {
  /** Resolves when it is there; fails with what went wrong with it. */
  readonly ready: Promise<unknown>;
  readonly isReady: boolean;
}

/** What work on one layer of a stack is told. */
export interface StackPlace {
  index: number;
  /** Undefined for the lowest layer. */
  below: LayerBelow | undefined;
  /** Aborted also when work on another layer has failed. */
  signal: AbortSignal;
}

/**
 * Works on the layers of a stack, `limit` of them at once. They are begun from the bottom up, so what one waits for has
 * always been begun. Ends when all work has ended; if some of it failed, with the first failure.
 */
export async function overLayers<T, R>(
  layers: readonly T[],
  options: { limit: number; signal: AbortSignal },
  work: (layer: T, place: StackPlace) => Promise<R>,
): Promise<R[]> {
  const failing = new AbortController();
  const signal = AbortSignal.any([options.signal, failing.signal]);
  const begun: Promise<R>[] = [];
  const running = new Set<Promise<unknown>>();
  let below: LayerBelow | undefined;
  for (const [index, layer] of layers.entries()) {
    while (running.size >= options.limit) await Promise.race(running);
    if (signal.aborted) break;
    const state = { isReady: false };
    const ready = work(layer, { index, below, signal });
    const watched = ready.then(
      () => void (state.isReady = true),
      (error: unknown) => failing.abort(error),
    );
    running.add(watched);
    void watched.finally(() => running.delete(watched));
    begun.push(ready);
    below = {
      ready,
      get isReady() {
        return state.isReady;
      },
    };
  }
  await Promise.all(running);
  signal.throwIfAborted();
  return Promise.all(begun);
}
