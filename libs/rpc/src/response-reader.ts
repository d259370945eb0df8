import { status as Status } from '@grpc/grpc-js';
import type { ClientCall } from './client-call.js';

interface Waiter<Res> {
  resolve(result: IteratorResult<Res, undefined>): void;
  reject(error: unknown): void;
}

/**
 * Answers of a streaming call, taken from the connection one by one as they are asked for: what is not
 * asked for waits in the flow control window and then at the sender.
 */
export class ResponseReader<Res> implements AsyncIterableIterator<Res, undefined> {
  readonly #call: ClientCall;
  readonly #decode: (bytes: Buffer) => Res;
  readonly #waiters: Waiter<Res>[] = [];
  #ended = false;
  /** Thrown once, to whoever asks next after the end. */
  #error: unknown;

  constructor(call: ClientCall, decode: (bytes: Buffer) => Res) {
    this.#call = call;
    this.#decode = decode;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Res, undefined>> {
    return new Promise((resolve, reject) => {
      if (this.#ended) this.#finish({ resolve, reject });
      else {
        this.#waiters.push({ resolve, reject });
        if (this.#waiters.length === 1) this.#call.startRead();
      }
    });
  }

  /** Cancels the call. */
  return(): Promise<IteratorResult<Res, undefined>> {
    if (!this.#ended) {
      this.end(undefined);
      this.#call.cancelWithStatus(Status.CANCELLED, 'the reader has had enough');
    }
    this.#error = undefined;
    return Promise.resolve({ done: true, value: undefined });
  }

  /** A message came in. */
  push(bytes: Buffer): void {
    const waiter = this.#waiters.shift();
    if (waiter === undefined) return;
    try {
      waiter.resolve({ done: false, value: this.#decode(bytes) });
    } catch (error) {
      waiter.reject(error);
      this.fail(error);
      this.#error = undefined;
      return;
    }
    if (this.#waiters.length > 0) this.#call.startRead();
  }

  /** The call is over, well or with an error. Only the first end counts. */
  end(error: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    for (const waiter of this.#waiters.splice(0)) this.#finish(waiter);
  }

  /** The caller's side failed: tells the reader this error and gives the call up. */
  fail(error: unknown): void {
    this.end(error);
    this.#call.cancelWithStatus(Status.CANCELLED, 'the caller failed');
  }

  #finish(waiter: Waiter<Res>): void {
    const error = this.#error;
    this.#error = undefined;
    if (error === undefined) waiter.resolve({ done: true, value: undefined });
    else waiter.reject(error);
  }
}
