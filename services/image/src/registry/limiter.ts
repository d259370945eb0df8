/** Lets so many pieces of work run at a time; others wait in line. */
export interface Limiter {
  /** @throws the signal's reason if it is aborted before the work begins */
  run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T>;
}

export function createLimiter(limit: number): Limiter {
  const waiting: (() => void)[] = [];
  let running = 0;
  const enter = async (signal: AbortSignal): Promise<void> => {
    signal.throwIfAborted();
    if (running < limit) {
      running += 1;
      return;
    }
    const turn = Promise.withResolvers<undefined>();
    const take = (): void => turn.resolve(undefined);
    const giveUp = (): void => {
      const index = waiting.indexOf(take);
      if (index < 0) return;
      waiting.splice(index, 1);
      turn.reject(signal.reason as Error);
    };
    waiting.push(take);
    signal.addEventListener('abort', giveUp, { once: true });
    await turn.promise.finally(() => signal.removeEventListener('abort', giveUp));
  };
  const leave = (): void => {
    const next = waiting.shift();
    // The place is handed on.
    if (next) next();
    else running -= 1;
  };
  return {
    run: async (signal, work) => {
      await enter(signal);
      try {
        return await work();
      } finally {
        leave();
      }
    },
  };
}
