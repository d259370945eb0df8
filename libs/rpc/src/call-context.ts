import type { Metadata, ServerUnaryCall } from '@grpc/grpc-js';
import { teuError, type Reason } from '@teu/errors';
import { randomId } from '@teu/ids';
import type { Logger } from '@teu/log';
import { methodNameOf } from './method.js';
import { peerOfAddress, type PeerCredentials } from './peer.js';

export type { PeerCredentials } from './peer.js';

/** Metadata of a call, as text. */
export interface CallMetadata {
  /** First value of a key in lower case; undefined if absent or binary. */
  get(key: string): string | undefined;
}

/** What a handler knows about its call. */
export interface CallContext {
  /** Aborted when the caller gave up, went away, or its deadline passed. Its reason is a TeuError. */
  readonly signal: AbortSignal;
  /** When the caller stops waiting. */
  readonly deadline?: Date | undefined;
  /** Logs with the method and the request id. */
  readonly log: Logger;
  /** The caller's `x-request-id`, or a new one. */
  readonly requestId: string;
  /** Who is at the other end, on unix sockets. */
  readonly peer?: PeerCredentials | undefined;
  readonly metadata: CallMetadata;
}

export const REQUEST_ID_KEY = 'x-request-id';

/**
 * The wire has a duration (`grpc-timeout`), which starts anew here, so a caller's own clock runs out
 * before ours by as long as the request was under way, and all we see of it then is a cancellation.
 */
const TRANSIT_MS = 50;
const REQUEST_ID = /^[a-zA-Z0-9._-]{1,64}$/;

/** What the four kinds of grpc-js server calls have in common. */
export type AnyServerCall = Pick<
  ServerUnaryCall<unknown, unknown>,
  'metadata' | 'getPeer' | 'getDeadline' | 'cancelled'
> & {
  on(event: 'cancelled', listener: () => void): unknown;
};

/** Most calls read one or two of these, so each is made when it is first asked for. */
export class ServerCallContext implements CallContext {
  readonly path: string;
  readonly #call: AnyServerCall;
  readonly #peerAddress: string;
  readonly #serverLog: Logger;
  #controller: AbortController | undefined;
  #abortReason: Reason | undefined;
  #log: Logger | undefined;
  #requestId: string | undefined;
  #onAbort: (() => void) | undefined;
  #ended = false;

  constructor(path: string, call: AnyServerCall, serverLog: Logger) {
    this.path = path;
    this.#call = call;
    // Now: when the caller has gone it cannot be told any more.
    this.#peerAddress = call.getPeer();
    this.#serverLog = serverLog;
    // grpc-js emits it also after a call that ended well.
    call.on('cancelled', () =>
      this.abort(this.#deadlinePassed() ? 'DEADLINE_EXCEEDED' : 'CANCELLED'),
    );
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#abortReason !== undefined) this.#controller.abort(abortError(this.#abortReason));
    }
    return this.#controller.signal;
  }

  get deadline(): Date | undefined {
    const deadline = this.#call.getDeadline();
    if (typeof deadline !== 'number') return deadline;
    return Number.isFinite(deadline) ? new Date(deadline) : undefined;
  }

  get log(): Logger {
    this.#log ??= this.#serverLog.child({
      rpc: methodNameOf(this.path),
      request_id: this.requestId,
    });
    return this.#log;
  }

  get requestId(): string {
    if (this.#requestId === undefined) {
      const given = this.metadata.get(REQUEST_ID_KEY);
      this.#requestId = given !== undefined && REQUEST_ID.test(given) ? given : randomId(8);
    }
    return this.#requestId;
  }

  get peer(): PeerCredentials | undefined {
    return peerOfAddress(this.#peerAddress);
  }

  get metadata(): CallMetadata {
    const metadata: Metadata = this.#call.metadata;
    return {
      get: (key) => {
        const value = metadata.get(key)[0];
        return typeof value === 'string' ? value : undefined;
      },
    };
  }

  /** Why the call is over for the caller, if it is. */
  get aborted(): Reason | undefined {
    return this.#abortReason;
  }

  /** Ends the call for the handler. Without effect once it has ended. */
  abort(reason: Reason): void {
    if (this.#ended || this.#abortReason !== undefined) return;
    this.#abortReason = reason;
    this.#controller?.abort(abortError(reason));
    this.#onAbort?.();
  }

  /** Calls this once when the call is aborted; at once if it is already. */
  set onAbort(listener: () => void) {
    if (this.#abortReason === undefined) this.#onAbort = listener;
    else listener();
  }

  /** The answer is out: what follows is no abort. */
  end(): void {
    this.#ended = true;
  }

  #deadlinePassed(): boolean {
    const deadline = this.deadline;
    return deadline !== undefined && deadline.getTime() - TRANSIT_MS <= new Date().getTime();
  }
}

function abortError(reason: Reason): Error {
  return teuError(
    reason,
    reason === 'CANCELLED' ? 'the caller gave up' : 'the caller stopped waiting',
  );
}
