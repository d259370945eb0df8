import { setTimeout as delay } from 'node:timers/promises';
import { ImageServiceService, type WatchImagesRequest } from '@teu/proto/image';
import type { EngineParts } from './engine-parts.js';
import type { WarmPool } from './warm-pool.js';

type Parts = Pick<EngineParts, 'images' | 'peers' | 'driverNews' | 'log'>;

const RETRY_MS = 500;

/**
 * Hears of every change of what image names mean, before whoever made the change does. While it stands, answers of
 * the image service are kept and starts are prepared in advance; while it does not, neither is.
 */
export class ImageWatch {
  readonly #parts: Parts;
  readonly #pool: WarmPool;
  readonly #closing = new AbortController();
  #finished: Promise<void> = Promise.resolve();

  constructor(parts: Parts, pool: WarmPool) {
    this.#parts = parts;
    this.#pool = pool;
  }

  /** Begins to watch. Does not wait for the image service. */
  start(): void {
    this.#finished = this.#watchForever();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#finished;
  }

  async #watchForever(): Promise<void> {
    const { signal } = this.#closing;
    const closed = (): boolean => signal.aborted;
    while (!closed()) {
      try {
        await this.#watchOnce();
      } catch (error) {
        if (!closed()) this.#parts.log.debug({ err: error }, 'changes of images are not told');
      }
      this.#parts.images.isTold = false;
      await this.#pool.disable();
      await delay(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  async #watchOnce(): Promise<void> {
    const { signal } = this.#closing;
    const acknowledgements = new Acknowledgements();
    const requests = acknowledgements.messages();
    const { image } = this.#parts.peers;
    const changes = image.bidi(ImageServiceService.watchImages, requests, { signal });
    try {
      for await (const { number, snapshots } of changes) {
        if (number === 0) {
          // Drivers may have come or gone while nobody could be told.
          await this.#parts.driverNews.tell();
          this.#parts.images.isTold = true;
          this.#pool.enable();
          continue;
        }
        this.#parts.images.forget();
        await this.#pool.drop(snapshots);
        acknowledgements.send(number);
      }
    } finally {
      acknowledgements.end();
    }
  }
}

/** The client's side of the stream. */
class Acknowledgements {
  readonly #queue: number[] = [];
  #wake = Promise.withResolvers<undefined>();
  #ended = false;

  send(number: number): void {
    this.#queue.push(number);
    this.#wake.resolve(undefined);
  }

  end(): void {
    this.#ended = true;
    this.#wake.resolve(undefined);
  }

  async *messages(): AsyncGenerator<WatchImagesRequest, void, undefined> {
    while (!this.#ended) {
      const acknowledgedNumber = this.#queue.shift();
      if (acknowledgedNumber !== undefined) yield { acknowledgedNumber };
      else {
        await this.#wake.promise;
        this.#wake = Promise.withResolvers<undefined>();
      }
    }
  }
}
