import type {
  handleBidiStreamingCall,
  handleClientStreamingCall,
  handleServerStreamingCall,
} from '@grpc/grpc-js';
import { ServerCallContext, type CallContext } from './call-context.js';
import { errorToStatus } from './error-wire.js';
import { callFailure, malformedRequest } from './failure.js';
import type { BidiMethod, ClientStreamMethod, ServerStreamMethod } from './method.js';
import { readRequests } from './read-requests.js';
import type { HandlerEnvironment } from './unary-handler.js';
import { writeResponses, type ResponseSink } from './write-responses.js';

/** Serves a method by an async generator: it is asked for the next message when there is room for it. */
export function serverStreamHandler<Req, Res>(
  method: ServerStreamMethod<Req, Res>,
  handler: (request: Req, context: CallContext) => AsyncIterable<Res>,
  environment: HandlerEnvironment,
): handleServerStreamingCall<Buffer, Buffer> {
  return (call) => {
    const context = new ServerCallContext(method.path, call, environment.log);
    respond(call, context, async () => {
      const request = decode(method, call.request);
      await writeResponses(call, handler(request, context), method, context);
    });
  };
}

/** Serves a method that reads messages at its own pace and answers once. */
export function clientStreamHandler<Req, Res>(
  method: ClientStreamMethod<Req, Res>,
  handler: (requests: AsyncIterable<Req>, context: CallContext) => Promise<Res>,
  environment: HandlerEnvironment,
): handleClientStreamingCall<Buffer, Buffer> {
  return (call, callback) => {
    const context = new ServerCallContext(method.path, call, environment.log);
    const serve = async (): Promise<void> => {
      const requests = readRequests(call, (bytes) => decode(method, bytes), context);
      const response = method.responseSerialize(await handler(requests, context));
      context.end();
      callback(null, response);
    };
    serve().catch((error: unknown) => {
      const failure = callFailure(error, context);
      context.end();
      callback(errorToStatus(failure));
    });
  };
}

/** Serves a method with a stream in each direction, each at its reader's pace. */
export function bidiHandler<Req, Res>(
  method: BidiMethod<Req, Res>,
  handler: (requests: AsyncIterable<Req>, context: CallContext) => AsyncIterable<Res>,
  environment: HandlerEnvironment,
): handleBidiStreamingCall<Buffer, Buffer> {
  return (call) => {
    const context = new ServerCallContext(method.path, call, environment.log);
    respond(call, context, async () => {
      const requests = readRequests(call, (bytes) => decode(method, bytes), context);
      await writeResponses(call, handler(requests, context), method, context);
    });
  };
}

/** Runs the body of a streaming call and ends the call with its outcome. */
function respond(call: ResponseSink, context: ServerCallContext, body: () => Promise<void>): void {
  body().then(
    () => {
      context.end();
      call.end();
    },
    (error: unknown) => {
      const failure = callFailure(error, context);
      context.end();
      // grpc-js sends it after the messages that were written before.
      call.emit('error', errorToStatus(failure));
    },
  );
}

function decode<Req>(method: { requestDeserialize(bytes: Buffer): Req }, bytes: Buffer): Req {
  try {
    return method.requestDeserialize(bytes);
  } catch (error) {
    throw malformedRequest(error);
  }
}
