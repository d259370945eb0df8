/** Bytes of standard input that may be on their way. */
const windowBytes = 256 * 1024;

/**
 * Standard input as it comes in frames. The launcher reads only as much as it was given credit for:
 * the first when the command begins to read, then as much as the command has taken.
 */
export class StdinFrames {
  readonly #grant: (bytes: number) => void;
  readonly #chunks: Buffer[] = [];
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(grant: (bytes: number) => void) {
    this.#grant = grant;
  }

  /** A frame came in. */
  add(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#wake?.();
  }

  /** The end came in, or the launcher is gone. */
  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *read(): AsyncGenerator<Uint8Array> {
    this.#grant(windowBytes);
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        yield chunk;
        this.#grant(chunk.length);
      } else if (this.#ended) {
        return;
      } else {
        await new Promise<void>((wake) => {
          this.#wake = wake;
        });
      }
    }
  }
}
