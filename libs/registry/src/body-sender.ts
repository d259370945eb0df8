import type { ClientRequest } from 'node:http';
import { ConnectionFailure, type Patience } from './transport.js';

/** What a request carries: small and whole, or made anew for each try. */
export interface RequestBody {
  /** Bytes. */
  size: number;
  read(): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** Sends the body of a request and watches how long the other side takes. */
export class BodySender {
  readonly #request: ClientRequest;
  readonly #body: RequestBody | undefined;
  readonly #patience: Patience;
  #timer: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(request: ClientRequest, body: RequestBody | undefined, patience: Patience) {
    this.#request = request;
    this.#body = body;
    this.#patience = patience;
  }

  /** Begins; failures go to `fail`. */
  start(fail: (error: unknown) => void): void {
    this.#send(fail).catch(fail);
  }

  /** The answer has come or never will: nothing more is sent or waited for. */
  end(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
  }

  async #send(fail: (error: unknown) => void): Promise<void> {
    const { stallMs, commitMs } = this.#patience;
    if (this.#body === undefined) {
      this.#wait(stallMs, fail);
      this.#request.end();
      return;
    }
    this.#wait(stallMs, fail);
    for await (const chunk of this.#body.read()) {
      if (this.#ended) return;
      this.#wait(stallMs, fail);
      if (!this.#request.write(chunk)) await this.#drained();
    }
    if (this.#ended) return;
    this.#wait(commitMs, fail);
    this.#request.end();
  }

  #drained(): Promise<void> {
    const request = this.#request;
    return new Promise((resolve) => {
      const done = (): void => {
        for (const name of ['drain', 'response', 'close']) request.off(name, done);
        resolve();
      };
      for (const name of ['drain', 'response', 'close']) request.once(name, done);
    });
  }

  #wait(ms: number, fail: (error: unknown) => void): void {
    clearTimeout(this.#timer);
    if (this.#ended) return;
    this.#timer = setTimeout(() => {
      fail(new ConnectionFailure('stalled', `nothing came for ${Math.round(ms / 1000)} s`));
    }, ms);
  }
}

/** A small body. */
export function wholeBody(bytes: Uint8Array): RequestBody {
  return { size: bytes.length, read: () => [bytes] };
}
