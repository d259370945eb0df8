import type { Server } from '@grpc/grpc-js';
import type { CallContext } from './call-context.js';
import { clientStreamHandler, bidiHandler, serverStreamHandler } from './stream-handlers.js';
import { unaryHandler, type HandlerEnvironment } from './unary-handler.js';
import {
  serviceNameOf,
  type BidiMethod,
  type ClientStreamMethod,
  type ServerStreamMethod,
  type ServiceDefinition,
  type UnaryMethod,
} from './method.js';

/** The function that serves a method, by the method's kind. */
export type Handler<M> =
  M extends UnaryMethod<infer Req, infer Res>
    ? (request: Req, context: CallContext) => Promise<Res>
    : M extends ServerStreamMethod<infer Req, infer Res>
      ? (request: Req, context: CallContext) => AsyncIterable<Res>
      : M extends ClientStreamMethod<infer Req, infer Res>
        ? (requests: AsyncIterable<Req>, context: CallContext) => Promise<Res>
        : M extends BidiMethod<infer Req, infer Res>
          ? (requests: AsyncIterable<Req>, context: CallContext) => AsyncIterable<Res>
          : never;

/** A handler for each method of a service. */
export type Handlers<D extends ServiceDefinition> = { readonly [K in keyof D]: Handler<D[K]> };

export interface ImplementOptions<Name> {
  /** Unary methods that may take longer than the server's maxUnaryMs, such as waiting for an exit. */
  longRunning?: readonly Name[];
}

/** A service ready to be served: what implement() returns and startRpcServer() takes. */
export interface Implementation {
  /** `package.Service`. */
  readonly name: string;
  register(server: Server, environment: HandlerEnvironment): void;
}

type WideHandler = (input: never, context: CallContext) => never;

/**
 * Binds handlers to a generated service definition. A handler throws TeuErrors for what the caller may
 * know; anything else reaches the caller as INTERNAL with a correlation id.
 */
export function implement<D extends ServiceDefinition>(
  definition: D,
  handlers: Handlers<D>,
  options: ImplementOptions<keyof D> = {},
): Implementation {
  const methods = Object.entries(definition);
  const first = methods[0];
  if (first === undefined) throw new Error('a service without methods');
  return {
    name: serviceNameOf(first[1].path),
    register: (server, environment) => {
      for (const [name, method] of methods) {
        const handler = (handlers as unknown as Readonly<Record<string, WideHandler | undefined>>)[
          name
        ];
        // Left out at run time only by force; the caller then gets UNIMPLEMENTED.
        if (handler === undefined) continue;
        const unlimited = options.longRunning?.includes(name) === true;
        registerMethod(server, method, handler.bind(handlers), environment, unlimited);
      }
    },
  };
}

const passThrough = (bytes: Buffer): Buffer => bytes;

/** Messages are coded in the handlers, where an error of the codec can be told as what it is. */
function registerMethod(
  server: Server,
  method: ServiceDefinition[string],
  handler: WideHandler,
  environment: HandlerEnvironment,
  unlimited: boolean,
): void {
  // The types of request and answer were checked by Handlers<D>; from here on they are opaque.
  const register = (type: string, serve: unknown): void => {
    server.register(method.path, serve as never, passThrough, passThrough, type);
  };
  if (method.requestStream && method.responseStream) {
    register('bidi', bidiHandler(method as never, handler as never, environment));
  } else if (method.requestStream) {
    register('clientStream', clientStreamHandler(method as never, handler as never, environment));
  } else if (method.responseStream) {
    register('serverStream', serverStreamHandler(method as never, handler as never, environment));
  } else {
    register('unary', unaryHandler(method as never, handler as never, environment, unlimited));
  }
}
