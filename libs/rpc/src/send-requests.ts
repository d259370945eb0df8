import { teuError } from '@teu/errors';
import type { ClientCall } from './client-call.js';
import { MESSAGE_BYTES_MAX } from './failure.js';
import { peerHasEnded } from './peer-has-ended.js';

/**
 * Sends the caller's messages, each after the one before went out, so that a slow server holds the
 * caller's iterable up. When the call ends first the iterable is returned.
 * @throws what the iterable throws.
 */
export async function sendRequests<Req>(
  call: ClientCall,
  requests: AsyncIterable<Req>,
  method: { requestSerialize(request: Req): Buffer },
  callEnded: AbortSignal,
): Promise<void> {
  const iterator = requests[Symbol.asyncIterator]();
  const release = (): void => {
    // Its failure has no reader any more: the call is over.
    void iterator.return?.().catch(() => undefined);
  };
  if (callEnded.aborted) release();
  else callEnded.addEventListener('abort', release, { once: true });
  try {
    for (;;) {
      const result = await iterator.next();
      if (callEnded.aborted) return;
      if (peerHasEnded(call)) {
        release();
        return;
      }
      if (result.done === true) break;
      await send(call, method.requestSerialize(result.value), callEnded);
    }
    call.halfClose();
  } catch (error) {
    if (!callEnded.aborted) throw error;
  } finally {
    callEnded.removeEventListener('abort', release);
  }
}

async function send(call: ClientCall, bytes: Buffer, callEnded: AbortSignal): Promise<void> {
  if (bytes.length > MESSAGE_BYTES_MAX) {
    throw teuError(
      'RESOURCE_EXHAUSTED',
      `a request has ${bytes.length} bytes, more than ${MESSAGE_BYTES_MAX}`,
    );
  }
  await new Promise<void>((resolve) => {
    const done = (): void => {
      callEnded.removeEventListener('abort', done);
      resolve();
    };
    // grpc-js drops the callback of a message that it could not send.
    callEnded.addEventListener('abort', done);
    call.sendMessageWithContext({ callback: done }, bytes);
  });
}
