import { PruneImagesRequest, VerifyImagesRequest } from '@teu/proto/image';
import type { LastEnd } from '../store/run-marker.js';
import { collectGarbage } from './collect-garbage.js';
import type { ImageParts } from './image-parts.js';
import { pruneImages } from './prune/prune-images.js';
import { verifyImages } from './verify/verify-images.js';

/** What is done without being asked for. */
export interface CareSettings {
  /** Images unused for longer go; 0 for never. */
  keepImagesFor: number;
  /** Images go until so much is free; 0 for never. */
  minFreeBytes: number;
  /** Between two looks whether something is to go. */
  policyInterval: number;
  verifyAfterCrash: boolean;
  /** Between the start and a verification. */
  verifyDelay: number;
}

/** The longest that setTimeout takes. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1;

/**
 * Looks after the store in the background: lets leases end, writes down when images were used, removes images by the
 * policy, and verifies what a run that did not end well has left. Nothing waits for it, and nothing it does is needed
 * for an answer to be right.
 */
export class Caretaker {
  readonly #parts: ImageParts;
  readonly #settings: CareSettings;
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<void>>();
  #leaseTimer: NodeJS.Timeout | undefined;
  #policyTimer: NodeJS.Timeout | undefined;
  #verifyTimer: NodeJS.Timeout | undefined;

  constructor(parts: ImageParts, settings: CareSettings) {
    this.#parts = parts;
    this.#settings = settings;
  }

  start(lastEnd: LastEnd): void {
    this.leasesChanged();
    const { policyInterval, verifyAfterCrash, verifyDelay } = this.#settings;
    this.#policyTimer = setInterval(() => this.#begin(this.#tend()), policyInterval).unref();
    if (lastEnd === 'clean' || !verifyAfterCrash) return;
    const verify = (): void => this.#begin(this.#verify(lastEnd));
    this.#verifyTimer = setTimeout(verify, verifyDelay).unref();
  }

  /** Looks when the next lease ends. */
  leasesChanged(): void {
    clearTimeout(this.#leaseTimer);
    const waitMs = this.#parts.leases.untilNextEnd();
    if (waitMs === undefined || this.#closing.signal.aborted) return;
    const look = (): void => this.leasesEnded();
    this.#leaseTimer = setTimeout(look, Math.min(waitMs + 1, TIMEOUT_MS_MAX)).unref();
  }

  /** Some may have ended: what only they held goes. */
  leasesEnded(): void {
    collectGarbage(this.#parts);
    this.leasesChanged();
  }

  /** Ends what is under way; the next start does it. */
  async close(): Promise<void> {
    this.#closing.abort();
    clearTimeout(this.#leaseTimer);
    clearInterval(this.#policyTimer);
    clearTimeout(this.#verifyTimer);
    await Promise.all(this.#running);
    this.#parts.uses.flush();
  }

  #begin(work: Promise<void>): void {
    const quiet = work.catch((error: unknown) => {
      if (this.#closing.signal.aborted) return;
      this.#parts.log.warn({ err: error }, 'the care of images in the background was broken off');
    });
    this.#running.add(quiet);
    void quiet.finally(() => this.#running.delete(quiet));
  }

  /** An engine keeps answers, so it is told that something has changed: what it asks anew is what is in use. */
  async #tend(): Promise<void> {
    const { log, uses, watchers } = this.#parts;
    const { keepImagesFor, minFreeBytes } = this.#settings;
    if (uses.hasMarks()) await watchers.announce();
    uses.flush();
    const requests = [
      ...(keepImagesFor > 0 ? [{ unusedFor: toDuration(keepImagesFor) }] : []),
      ...(minFreeBytes > 0 ? [{ freeBytes: minFreeBytes }] : []),
    ];
    for (const request of requests) {
      const full = PruneImagesRequest.create({ all: true, ...request });
      const context = { requestId: '', signal: this.#closing.signal };
      const { deleted, reclaimedBytes } = await pruneImages(this.#parts, full, context);
      if (deleted.length > 0) log.info({ deleted, reclaimedBytes }, 'images went by the policy');
    }
  }

  /** Every byte of layers only if the machine went down: a kill takes nothing from what was written. */
  async #verify(lastEnd: LastEnd): Promise<void> {
    const { log } = this.#parts;
    const request = VerifyImagesRequest.create({ readData: lastEnd === 'machine', repair: true });
    const context = { requestId: '', signal: this.#closing.signal, idle: true };
    for await (const { event } of verifyImages(this.#parts, request, context)) {
      if (event?.$case === 'damage') log.error({ ...event.value }, 'an image is damaged');
      if (event?.$case === 'summary')
        log.info({ ...event.value }, 'images were verified after a crash');
    }
  }
}

function toDuration(ms: number): { seconds: number; nanos: number } {
  return { seconds: Math.floor(ms / 1000), nanos: (ms % 1000) * 1e6 };
}
