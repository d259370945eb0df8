import { setTimeout as delay } from 'node:timers/promises';
import { isTeuError, teuError, type TeuError } from '@teu/errors';
import type { BidiMethod, RpcChannel, ServerStreamMethod, UnaryMethod } from '@teu/rpc';

/** How one call is made. */
export interface PeerCallOptions {
  /** How long an answer may take, in milliseconds. */
  timeoutMs?: number;
  /** How long to try again while the service can't be reached. */
  retryMs?: number;
  /** Gives the call up. */
  signal?: AbortSignal | undefined;
}

const DEFAULT_TIMEOUT_MS = 10_000;
/** Long enough for a service to be started again after a crash. */
const DEFAULT_RETRY_MS = 1_500;
const RETRY_DELAY_MS = 25;

/** A service behind the engine. A call that gets no answer says which service it was that did not give one. */
export class Peer {
  readonly name: string;
  readonly address: string;
  readonly channel: RpcChannel;

  constructor(name: string, address: string, channel: RpcChannel) {
    this.name = name;
    this.address = address;
    this.channel = channel;
  }

  /**
   * Makes one call, and makes it again when the connection broke: all calls of the engine are named by ids of its
   * own, so that a repetition does nothing or is told that the thing is there.
   * @throws UNAVAILABLE if the service can't be reached or does not answer in time; else what the service says
   */
  async call<Req, Res>(
    method: UnaryMethod<Req, Res>,
    request: Req,
    { timeoutMs = DEFAULT_TIMEOUT_MS, retryMs = DEFAULT_RETRY_MS, signal }: PeerCallOptions = {},
  ): Promise<Res> {
    const begin = performance.now();
    for (;;) {
      try {
        return await this.channel.unary(method, request, { timeoutMs, ...(signal && { signal }) });
      } catch (error) {
        const elapsed = performance.now() - begin;
        if (isTeuError(error, 'UNAVAILABLE') && elapsed < retryMs) {
          await delay(RETRY_DELAY_MS);
          continue;
        }
        throw isTeuError(error) ? this.#named(error, timeoutMs) : error;
      }
    }
  }

  /** A stream of answers. Ends with an error when the connection breaks. */
  serverStream<Req, Res>(
    method: ServerStreamMethod<Req, Res>,
    request: Req,
    options: { signal: AbortSignal },
  ): AsyncIterable<Res> {
    return this.channel.serverStream(method, request, options);
  }

  /** A stream in both directions, each at its reader's pace. */
  bidi<Req, Res>(
    method: BidiMethod<Req, Res>,
    requests: AsyncIterable<Req>,
    options: { signal: AbortSignal },
  ): AsyncIterable<Res> {
    return this.channel.bidi(method, requests, options);
  }

  close(): void {
    this.channel.close();
  }

  #named(error: TeuError, timeoutMs: number): TeuError {
    const options = { metadata: { service: this.name }, cause: error };
    if (error.reason === 'UNAVAILABLE') {
      return teuError('UNAVAILABLE', `the service ${this.name} cannot be reached`, options);
    }
    if (error.reason === 'DEADLINE_EXCEEDED') {
      const seconds = timeoutMs / 1000;
      return teuError(
        'UNAVAILABLE',
        `the service ${this.name} gave no answer in ${seconds} s`,
        options,
      );
    }
    return error;
  }
}
