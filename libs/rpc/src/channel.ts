import { Channel, credentials, Metadata } from '@grpc/grpc-js';
import { clock } from '@teu/ids';
import { REQUEST_ID_KEY } from './call-context.js';
import { callForOne, callForStream, type CallStart } from './client-call.js';
import { MESSAGE_BYTES_MAX } from './failure.js';
import {
  methodNameOf,
  type AnyMethod,
  type BidiMethod,
  type ClientStreamMethod,
  type ServerStreamMethod,
  type UnaryMethod,
} from './method.js';
import { clientTls, type TlsFiles } from './tls.js';

export interface ConnectOptions {
  /** What errors call the peer; the address' last part if absent. */
  serviceName?: string;
  /** Needed for TCP. */
  tls?: TlsFiles;
  /** Sent with every call; keys in lower case. */
  headers?: Readonly<Record<string, string>>;
}

export interface CallOptions {
  /** How long the call may take. Absent: 10 s for a unary call, no limit for a stream. */
  timeoutMs?: number;
  /** Cancels the call. */
  signal?: AbortSignal;
  /** Wait for a service that is not there yet, for as long as the call may take, instead of failing. */
  waitForReady?: boolean;
  /** The request id to pass on. */
  requestId?: string;
}

export type UnaryOptions = CallOptions;

const UNARY_TIMEOUT_MS = 10_000;
/** gRPC servers of JavaScript hold a timeout in 32 bits. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1;

const CHANNEL_OPTIONS = {
  'grpc.max_receive_message_length': MESSAGE_BYTES_MAX,
  'grpc-node.flow_control_window': 4 * 1024 * 1024,
  'grpc.enable_channelz': 0,
  'grpc.enable_http_proxy': 0,
  'grpc.service_config_disable_resolution': 1,
  // A call is retried by whoever knows that it may be.
  'grpc.enable_retries': 0,
  // Nothing is kept for retries: so a message's callback means that it went out, which is what slows
  // a sender down to the pace of its reader.
  'grpc.per_rpc_retry_buffer_size': 0,
  'grpc.keepalive_time_ms': 60_000,
  'grpc.keepalive_timeout_ms': 20_000,
  // Services are local and restart: look again soon.
  'grpc.initial_reconnect_backoff_ms': 20,
  'grpc.min_reconnect_backoff_ms': 20,
  'grpc.max_reconnect_backoff_ms': 500,
};

/**
 * A client of one service. Connects with the first call and again whenever needed; calls in between
 * fail at once with UNAVAILABLE unless told to wait. Rejects with TeuErrors only.
 */
export class RpcChannel {
  readonly serviceName: string;
  readonly #channel: Channel;
  readonly #headers: readonly (readonly [string, string])[];

  constructor(address: string, options: ConnectOptions) {
    this.serviceName = options.serviceName ?? nameOf(address);
    this.#headers = Object.entries(options.headers ?? {});
    this.#channel = new Channel(
      address,
      options.tls === undefined ? credentials.createInsecure() : clientTls(options.tls),
      CHANNEL_OPTIONS,
    );
  }

  /** One message for one. */
  unary<Req, Res>(
    method: UnaryMethod<Req, Res>,
    request: Req,
    options: UnaryOptions = {},
  ): Promise<Res> {
    const start = this.#start(method, options, UNARY_TIMEOUT_MS);
    return callForOne(start, method, request, undefined);
  }

  /** One message for a stream. The call begins at once; ending the iteration early cancels it. */
  serverStream<Req, Res>(
    method: ServerStreamMethod<Req, Res>,
    request: Req,
    options: CallOptions = {},
  ): AsyncIterableIterator<Res> {
    return callForStream(this.#start(method, options), method, request, undefined);
  }

  /** A stream for one message. `requests` is asked for the next one when the last one was sent. */
  clientStream<Req, Res>(
    method: ClientStreamMethod<Req, Res>,
    requests: AsyncIterable<Req>,
    options: CallOptions = {},
  ): Promise<Res> {
    return callForOne(this.#start(method, options), method, undefined, requests);
  }

  /** A stream for a stream, each at its reader's pace. Ending the iteration early cancels the call. */
  bidi<Req, Res>(
    method: BidiMethod<Req, Res>,
    requests: AsyncIterable<Req>,
    options: CallOptions = {},
  ): AsyncIterableIterator<Res> {
    return callForStream(this.#start(method, options), method, undefined, requests);
  }

  /** Ends it; calls that run go on to their end. */
  close(): void {
    this.#channel.close();
  }

  #start(method: Pick<AnyMethod, 'path'>, options: CallOptions, timeoutMs?: number): CallStart {
    const limitMs = options.timeoutMs ?? timeoutMs;
    const deadline =
      limitMs === undefined || limitMs === Infinity
        ? Infinity
        : clock.now().getTime() + Math.min(limitMs, TIMEOUT_MS_MAX);
    const metadata = new Metadata({ waitForReady: options.waitForReady === true });
    for (const [key, value] of this.#headers) metadata.set(key, value);
    if (options.requestId !== undefined) metadata.set(REQUEST_ID_KEY, options.requestId);
    return {
      call: this.#channel.createCall(method.path, deadline, undefined, null, undefined),
      metadata,
      signal: options.signal,
      names: { service: this.serviceName, method: methodNameOf(method.path) },
    };
  }
}

/** A client of the service at `unix:/path` or `host:port`. Nothing is sent before the first call. */
export function connect(address: string, options: ConnectOptions = {}): RpcChannel {
  return new RpcChannel(address, options);
}

/** `image` for `unix:/run/teu/image.sock`. */
function nameOf(address: string): string {
  if (!address.startsWith('unix:')) return address;
  return address.slice(address.lastIndexOf('/') + 1).replace(/\.sock$/, '');
}
