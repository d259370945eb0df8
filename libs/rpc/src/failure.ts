import { internalError, isTeuError, teuError, type TeuError } from '@teu/errors';
import type { ServerCallContext } from './call-context.js';

/**
 * Turns whatever a handler threw into the error that the caller gets, and logs what the caller does
 * not get. An error that is not a TeuError never gives its code or text away: it becomes INTERNAL.
 */
export function callFailure(error: unknown, context: ServerCallContext): TeuError {
  if (context.aborted !== undefined && !isTeuError(error)) {
    context.log.debug({ err: error }, 'call abandoned');
    return teuError(context.aborted, 'the caller gave up', { cause: error });
  }
  const failure = internalError(error);
  if (failure.status === 'INTERNAL' || failure.status === 'DATA_LOSS') {
    context.log.error({ err: failure, ...failure.metadata }, 'call failed');
  } else if (failure.cause !== undefined) {
    context.log.warn({ err: failure }, 'call refused');
  } else {
    context.log.debug({ err: failure }, 'call refused');
  }
  return failure;
}

/** The caller's message could not be read. */
export function malformedRequest(error: unknown): TeuError {
  return teuError('INVALID_ARGUMENT', 'the request is not a valid message of its type', {
    cause: error,
  });
}

/** The answer would not pass the caller's limit. */
export function tooLarge(bytes: number, bytesMax: number): TeuError {
  return teuError('RESOURCE_EXHAUSTED', `the answer has ${bytes} bytes, more than ${bytesMax}`);
}

/** Largest message in either direction, in bytes; gRPC's own default. */
export const MESSAGE_BYTES_MAX = 4 * 1024 * 1024;
