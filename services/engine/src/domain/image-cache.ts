import { isTeuError, teuError } from '@teu/errors';
import { ImageServiceService, type Image, type PrepareImageResponse } from '@teu/proto/image';
import type { Peers } from '../peers/peers.js';
import type { DriverNews } from './drivers/driver-news.js';

/** An image in a driver, ready to be stood on. */
export interface ResolvedImage {
  image: Image;
  driver: string;
  /** Committed snapshot of its top layer. */
  snapshot: string;
}

/** Unpacking a big image into another driver takes its time. */
const PREPARE_TIMEOUT_MS = 5 * 60_000;
const CAPACITY = 1000;

/**
 * What references meant when they were last asked for. While the image service tells of every change (`ImageWatch`),
 * that is what they mean. Otherwise it is a guess that lets work begin before the image service has answered: a name
 * can move to another image at any time, so whoever uses a guess also asks and compares.
 */
export class ImageCache {
  readonly #peers: Peers;
  readonly #driverNews: DriverNews;
  readonly #known = new Map<string, ResolvedImage>();
  #isTold = false;
  #generation = 0;

  constructor(peers: Peers, driverNews: DriverNews) {
    this.#peers = peers;
    this.#driverNews = driverNews;
  }

  /** What the reference means in this driver, if that is known for certain. */
  current(reference: string, driver: string): ResolvedImage | undefined {
    return this.#isTold ? this.guess(reference, driver) : undefined;
  }

  get isTold(): boolean {
    return this.#isTold;
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
      const { image, snapshot } = await this.#prepare(reference, driver);
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

  async #prepare(reference: string, driver: string): Promise<PrepareImageResponse> {
    const { image } = this.#peers;
    const request = { reference, driver };
    const options = { timeoutMs: PREPARE_TIMEOUT_MS };
    try {
      return await image.call(ImageServiceService.prepareImage, request, options);
    } catch (error) {
      if (!isTeuError(error, 'DRIVER_NOT_FOUND')) throw error;
      // The engine knows it: the image service has just come back, and was not told yet.
      await this.#driverNews.tell();
      return image.call(ImageServiceService.prepareImage, request, options);
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
