import { Deferred } from './deferred.js';
import { ClientFrame, MAX_STDIN_BYTES } from './frames.js';

const NO_PAYLOAD = Buffer.alloc(0);

/** Writes a program's input, no faster than the program reads it. */
export class StdinWriter {
  readonly #send: (type: number, payload: Uint8Array) => void;
  #credit = 0;
  #granted = new Deferred<undefined>();
  #error: Error | null = null;

  constructor(send: (type: number, payload: Uint8Array) => void) {
    this.#send = send;
  }

  /** Resolves when the supervisor's window has taken all of it. One call at a time. */
  async write(data: Uint8Array): Promise<void> {
    let at = 0;
    while (at < data.length) {
      await this.#anyCredit();
      const size = Math.min(data.length - at, this.#credit, MAX_STDIN_BYTES);
      this.#credit -= size;
      this.#send(ClientFrame.stdin, data.subarray(at, at + size));
      at += size;
    }
  }

  /** End of input: the program reads EOF (on a terminal, an end-of-file character is sent). */
  close(): void {
    this.#send(ClientFrame.stdinClose, NO_PAYLOAD);
  }

  /** For the connection: the supervisor has room for `bytes` more. */
  grant(bytes: number): void {
    this.#credit += bytes;
    this.#granted.resolve(undefined);
  }

  /** For the connection: the line is gone. */
  fail(error: Error): void {
    this.#error = error;
    this.#granted.reject(error);
  }

  async #anyCredit(): Promise<void> {
    while (this.#credit === 0) {
      if (this.#error !== null) throw this.#error;
      this.#granted = new Deferred<undefined>();
      await this.#granted.promise;
    }
  }
}
