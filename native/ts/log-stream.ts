import type { Socket } from 'node:net';
import { Deferred } from './deferred.js';
import type { LogRecord } from './supervisor-types.js';

/** Records kept here before the socket is paused; a record has at most 16 KiB. */
const HIGH_WATER = 16;

/** The output of an attached program, to be read once with `for await`. */
export class LogStream implements AsyncIterable<LogRecord> {
  readonly #socket: Socket;
  readonly #detach: () => void;
  readonly #records: LogRecord[] = [];
  #more = new Deferred<undefined>();
  #ended = false;
  #error: Error | null = null;

  constructor(socket: Socket, detach: () => void) {
    this.#socket = socket;
    this.#detach = detach;
  }

  /** For the connection: records have arrived. */
  push(records: LogRecord[]): void {
    this.#records.push(...records);
    if (this.#records.length >= HIGH_WATER) this.#socket.pause();
    this.#more.resolve(undefined);
  }

  /** For the connection: the program has ended and this was all. */
  end(): void {
    this.#ended = true;
    this.#more.resolve(undefined);
  }

  /** For the connection: no more will come, and not because the program ended. */
  fail(error: Error): void {
    if (this.#ended) return;
    this.#error = error;
    this.end();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<LogRecord, void, undefined> {
    try {
      for (;;) {
        const record = this.#records.shift();
        if (record !== undefined) {
          if (this.#records.length === 0) this.#socket.resume();
          yield record;
          continue;
        }
        if (this.#ended) break;
        this.#more = new Deferred<undefined>();
        await this.#more.promise;
      }
      if (this.#error !== null) throw this.#error;
    } finally {
      this.#socket.resume();
      this.#ended = true;
      this.#detach();
    }
  }
}
