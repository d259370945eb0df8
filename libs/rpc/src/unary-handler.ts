import type { handleUnaryCall } from '@grpc/grpc-js';
import { teuError } from '@teu/errors';
import type { Logger } from '@teu/log';
import { ServerCallContext, type CallContext } from './call-context.js';
import { errorToStatus } from './error-wire.js';
import { callFailure, malformedRequest, MESSAGE_BYTES_MAX, tooLarge } from './failure.js';
import { methodNameOf, type UnaryMethod } from './method.js';

/** What the handlers of one server share. */
export interface HandlerEnvironment {
  log: Logger;
  /** How long a unary call without a deadline may take, in milliseconds. */
  maxUnaryMs: number;
}

/** Wraps an async function for grpc-js, which would neither wait for it nor notice that it failed. */
export function unaryHandler<Req, Res>(
  method: UnaryMethod<Req, Res>,
  handler: (request: Req, context: CallContext) => Promise<Res>,
  environment: HandlerEnvironment,
  unlimited: boolean,
): handleUnaryCall<Buffer, Buffer> {
  return (call, callback) => {
    const context = new ServerCallContext(method.path, call, environment.log);
    let timer: NodeJS.Timeout | undefined;
    let answered = false;
    const fail = (error: unknown): void => {
      clearTimeout(timer);
      if (answered) return;
      answered = true;
      const failure = callFailure(error, context);
      context.end();
      callback(errorToStatus(failure));
    };
    if (!unlimited && call.getDeadline() === Infinity) {
      timer = setTimeout(() => {
        context.abort('DEADLINE_EXCEEDED');
        fail(
          teuError(
            'DEADLINE_EXCEEDED',
            `${methodNameOf(method.path)} took longer than ${environment.maxUnaryMs} ms`,
          ),
        );
      }, environment.maxUnaryMs);
    }
    let request: Req;
    try {
      request = method.requestDeserialize(call.request);
    } catch (error) {
      fail(malformedRequest(error));
      return;
    }
    invoke(handler, request, context)
      .then((response) => {
        const bytes = method.responseSerialize(response);
        if (bytes.length > MESSAGE_BYTES_MAX) throw tooLarge(bytes.length, MESSAGE_BYTES_MAX);
        if (answered) return;
        answered = true;
        clearTimeout(timer);
        context.end();
        callback(null, bytes);
      })
      .catch(fail);
  };
}

/** A handler that is not async may throw at once. */
async function invoke<Input, Res>(
  handler: (input: Input, context: CallContext) => Promise<Res>,
  input: Input,
  context: CallContext,
): Promise<Res> {
  return handler(input, context);
}
