import type { PullResolution, TransferProgress } from '@teu/proto/image';

/** Told by the work while it runs. */
export interface TransferListener {
  report(progress: TransferProgress): void;
  resolved(resolution: PullResolution): void;
}

/** What a transfer tells on its way. */
export type TransferEvent =
  { $case: 'resolution'; value: PullResolution } | { $case: 'progress'; value: TransferProgress };

/**
 * Runs a transfer and gives what it tells, then its result. Of a client that is slow to read only the latest of each
 * blob is kept.
 */
export async function* streamTransfer<Result>(
  work: (listener: TransferListener) => Promise<Result>,
): AsyncGenerator<TransferEvent | { $case: 'end'; value: Result }> {
  const waiting = new Map<string, TransferEvent>();
  let wake = (): void => undefined;
  const state = { running: true };
  const tell = (key: string, event: TransferEvent): void => {
    // Set anew, so that it comes after what was told of others meanwhile.
    waiting.delete(key);
    waiting.set(key, event);
    wake();
  };
  const outcome = work({
    report: (value) => tell(value.digest, { $case: 'progress', value }),
    resolved: (value) => tell('', { $case: 'resolution', value }),
  }).finally(() => {
    state.running = false;
    wake();
  });
  // The failure is thrown by the await below; until then it must not count as unhandled.
  outcome.catch(() => undefined);
  while (state.running || waiting.size > 0) {
    const [next] = waiting;
    if (next) {
      waiting.delete(next[0]);
      yield next[1];
    } else await new Promise<void>((resolve) => (wake = resolve));
  }
  yield { $case: 'end', value: await outcome };
}
