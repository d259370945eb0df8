import type { LoadProgress, LoadResult } from '@teu/proto/image';
import type { ImageRecord } from '../domain/image-record.js';
import type { ReportProgress } from '../operations/load-scope.js';
import { toImage } from './image-message.js';

/** A message of a load's stream; the same in LoadImageResponse and UploadImageResponse. */
export type LoadEvent =
  { $case: 'progress'; value: LoadProgress } | { $case: 'result'; value: LoadResult };

/** Runs a load and gives its progress while it runs and its result at the end. */
export async function* streamLoad(
  load: (report: ReportProgress) => Promise<ImageRecord[]>,
): AsyncGenerator<{ event: LoadEvent }> {
  const waiting: LoadProgress[] = [];
  let wake = (): void => undefined;
  const state = { running: true };
  const outcome = load((step, digest, currentBytes, totalBytes) => {
    waiting.push({ step, digest, currentBytes, totalBytes });
    wake();
  }).finally(() => {
    state.running = false;
    wake();
  });
  // The failure is thrown by the await below; until then it must not count as unhandled.
  outcome.catch(() => undefined);
  while (state.running || waiting.length > 0) {
    const progress = waiting.shift();
    if (progress) yield { event: { $case: 'progress', value: progress } };
    else await new Promise<void>((resolve) => (wake = resolve));
  }
  const images = (await outcome).map(toImage);
  yield { event: { $case: 'result', value: { images } } };
}
