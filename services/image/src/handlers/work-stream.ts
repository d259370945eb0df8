/** Either of both. */
export interface WorkNews<Progress, Result> {
  progress?: Progress;
  /** The last one has it. */
  result?: Result;
}

/** Runs work and gives its progress while it runs and its result at the end. */
export async function* streamWork<Progress, Result>(
  work: (report: (progress: Progress) => void) => Promise<Result>,
): AsyncGenerator<WorkNews<Progress, Result>, void, undefined> {
  const waiting: Progress[] = [];
  let wake = (): void => undefined;
  const state = { running: true };
  const outcome = work((progress) => {
    waiting.push(progress);
    wake();
  }).finally(() => {
    state.running = false;
    wake();
  });
  // The failure is thrown by the await below; until then it must not count as unhandled.
  outcome.catch(() => undefined);
  while (state.running || waiting.length > 0) {
    const progress = waiting.shift();
    if (progress !== undefined) yield { progress };
    else await new Promise<void>((resolve) => (wake = resolve));
  }
  yield { result: await outcome };
}
