import type { ServerCallContext } from './call-context.js';
import { MESSAGE_BYTES_MAX, tooLarge } from './failure.js';

/** The writing half of a grpc-js server call. */
export interface ResponseSink {
  write(bytes: Buffer, callback: (error?: Error | null) => void): boolean;
  end(): unknown;
  emit(event: 'error', error: unknown): boolean;
}

/** How much may lie between the handler and the kernel, per call. */
const PENDING_BYTES_MAX = 512 * 1024;
const PENDING_COUNT_MAX = 64;

/**
 * Sends what the handler yields. The handler is asked for more only while little is pending, so a slow
 * caller holds it up instead of filling memory; when the caller goes, its generator is returned.
 */
export async function writeResponses<Res>(
  call: ResponseSink,
  responses: AsyncIterable<Res>,
  method: { responseSerialize(response: Res): Buffer },
  context: ServerCallContext,
): Promise<void> {
  const iterator = responses[Symbol.asyncIterator]();
  let pendingBytes = 0;
  let pendingCount = 0;
  let roomIsNeeded: (() => void) | undefined;
  const isFull = (): boolean =>
    pendingBytes > PENDING_BYTES_MAX || pendingCount >= PENDING_COUNT_MAX;
  const wake = (): void => {
    roomIsNeeded?.();
    roomIsNeeded = undefined;
  };
  context.onAbort = () => {
    wake();
    // It ends when the handler reaches its next yield; a failure on the way has no reader any more.
    void iterator
      .return?.()
      .catch((error: unknown) => context.log.debug({ err: error }, 'abandoned'));
  };
  try {
    for (;;) {
      const result = await iterator.next();
      if (result.done === true || context.aborted !== undefined) return;
      const bytes = method.responseSerialize(result.value);
      if (bytes.length > MESSAGE_BYTES_MAX) throw tooLarge(bytes.length, MESSAGE_BYTES_MAX);
      pendingBytes += bytes.length;
      pendingCount += 1;
      call.write(bytes, () => {
        pendingBytes -= bytes.length;
        pendingCount -= 1;
        if (!isFull()) wake();
      });
      while (isFull() && !isAborted(context)) {
        await new Promise<void>((resolve) => {
          roomIsNeeded = resolve;
        });
      }
    }
  } catch (error) {
    // Not from the iterator: then it is still open.
    await iterator.return?.();
    throw error;
  }
}

/** A function, so that the compiler does not take the answer of a moment ago for granted. */
function isAborted(context: ServerCallContext): boolean {
  return context.aborted !== undefined;
}
