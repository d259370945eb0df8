import { teuError } from '@teu/errors';
import type { BlobGrowth } from './blob-growth.js';

/** Ends work that takes too long. */
export interface TimeLimit {
  /** Aborted with LAYER_TOO_LARGE when the time is over. */
  readonly signal: AbortSignal;
  /** To be called when the work has ended. */
  clear(): void;
}

/** The time of a blob that is still being written begins when all of it is there: how fast it comes is not its fault. */
export function limitTime(milliseconds: number, growth: BlobGrowth | undefined): TimeLimit {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const begin = (): void => {
    timer = setTimeout(() => controller.abort(tookTooLong(milliseconds)), milliseconds);
  };
  if (growth === undefined || growth.ended.aborted) begin();
  else growth.ended.addEventListener('abort', begin, { once: true });
  return {
    signal: controller.signal,
    clear: () => {
      growth?.ended.removeEventListener('abort', begin);
      clearTimeout(timer);
    },
  };
}

function tookTooLong(milliseconds: number): Error {
  const text = `the layer cannot be unpacked: it takes longer than ${milliseconds} ms`;
  return teuError('LAYER_TOO_LARGE', text, {
    metadata: { code: 'LIMIT_EXCEEDED', limit_ms: String(milliseconds) },
  });
}
