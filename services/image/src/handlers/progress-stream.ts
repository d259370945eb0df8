import type { LoadProgress, LoadResult } from '@teu/proto/image';
import type { ImageRecord } from '../domain/image-record.js';
import type { ReportProgress } from '../operations/load-scope.js';
import { toImage } from './image-message.js';
import { streamWork } from './work-stream.js';

/** A message of a load's stream; the same in LoadImageResponse and UploadImageResponse. */
export type LoadEvent =
  { $case: 'progress'; value: LoadProgress } | { $case: 'result'; value: LoadResult };

/** Runs a load and gives its progress while it runs and its result at the end. */
export async function* streamLoad(
  load: (report: ReportProgress) => Promise<ImageRecord[]>,
): AsyncGenerator<{ event: LoadEvent }> {
  const told = streamWork<LoadProgress, ImageRecord[]>((report) =>
    load((step, digest, currentBytes, totalBytes) =>
      report({ step, digest, currentBytes, totalBytes }),
    ),
  );
  for await (const { progress, result } of told) {
    if (progress) yield { event: { $case: 'progress', value: progress } };
    if (result) yield { event: { $case: 'result', value: { images: result.map(toImage) } } };
  }
}
