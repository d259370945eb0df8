import type { Readable } from 'node:stream';
import { isTeuError, teuError } from '@teu/errors';
import type { ServerCallContext } from './call-context.js';

/**
 * The caller's messages. The next one is taken from the connection when it is asked for, so a slow
 * handler holds the caller up. Ending early leaves the call open: the answer is still to come.
 * @throws CANCELLED or DEADLINE_EXCEEDED when the caller went away.
 */
export async function* readRequests<Req>(
  call: Readable,
  decode: (bytes: Buffer) => Req,
  context: ServerCallContext,
): AsyncGenerator<Req> {
  const messages = call.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  try {
    for await (const bytes of messages) yield decode(bytes);
  } catch (error) {
    // A stream that grpc-js destroyed says that it was closed too early; the reason is in the context.
    if (isTeuError(error)) throw error;
    throw teuError(context.aborted ?? 'CANCELLED', 'the caller gave up', { cause: error });
  }
}
