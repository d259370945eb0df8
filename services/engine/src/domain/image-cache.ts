import { ImageServiceService, type Image } from '@teu/proto/image';
import { teuError } from '@teu/errors';
import type { Peers } from '../peers/peers.js';

/** An image in a driver, ready to be stood on. */
export interface ResolvedImage {
  image: Image;
  driver: string;
  /** Committed snapshot of its top layer. */
  snapshot: string;
}

/** Unpacking a big image into another driver takes its time. */
const PREPARE_TIMEOUT_MS = 60_000;
const CAPACITY = 1000;

/**
 * What references meant when they were last asked for. While the image service tells of every change (`ImageWatch`),
 * that is what they mean. Otherwise it is a guess that lets work begin before the image service has answered: a name
 * can move to another image at any time, so whoever uses a guess also asks and compares.
 */
export class ImageCache {
  readonly #peers: Peers;
  readonly #known = new Map<string, ResolvedImage>();
  #isTold = false;
  #generation = 0;

  constructor(peers: Peers) {
    this.#peers = peers;
  }

  /** What the reference means in this driver, if that is known for certain. */
  current(reference: string, driver: string): ResolvedImage | undefined {
    return this.#isTold ? this.guess(reference, driver) : undefined;
  }

  /** Whether changes are told from here on. */
  set isTold(isTold: boolean) {
    this.#isTold = isTold;
    this.forget();
  }

  /** Forgets everything: something has changed. */
  forget(): void {
    this.#generation += 1;
    this.#known.clear();
  }

  /** What the reference last meant in this driver. */
  guess(reference: string, driver: string): ResolvedImage | undefined {
    return this.#known.get(keyOf(reference, driver));
  }

  /**
   * Asks the image service.
   * @throws IMAGE_NOT_FOUND, UNAVAILABLE
   */
  async ask(reference: string, driver: string): Promise<ResolvedImage> {
    const generation = this.#generation;
    try {
      const { image, snapshot } = await this.#peers.image.call(
        ImageServiceService.prepareImage,
        { reference, driver },
        { timeoutMs: PREPARE_TIMEOUT_MS },
      );
      if (image === undefined) {
        throw teuError('IMAGE_INVALID', `the image service says nothing about "${reference}"`);
      }
      const resolved = { image, driver, snapshot };
      // An answer from before a change serves the request that asked, and nobody after it.
      if (generation === this.#generation) this.#remember(keyOf(reference, driver), resolved);
      return resolved;
    } catch (error) {
      this.#known.delete(keyOf(reference, driver));
      throw error;
    }
  }

  #remember(key: string, resolved: ResolvedImage): void {
    this.#known.delete(key);
    this.#known.set(key, resolved);
    if (this.#known.size <= CAPACITY) return;
    const oldest = this.#known.keys().next();
    if (!oldest.done) this.#known.delete(oldest.value);
  }
}

/** Tells whether two answers mean the same layers and the same defaults. */
export function sameImage(one: ResolvedImage, other: ResolvedImage): boolean {
  return one.image.id === other.image.id && one.snapshot === other.snapshot;
}

function keyOf(reference: string, driver: string): string {
  return `${driver}\0${reference}`;
}
