import { setTimeout as delay } from 'node:timers/promises';
import { isTeuError } from '@teu/errors';
import type { ContainerEntry } from './container-entry.js';
import type { EngineParts } from './engine-parts.js';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** Another attempt would not change these: what a record asks for is not there any more. */
const LASTING: ReadonlySet<string> = new Set(['INVALID_ARGUMENT', 'RESOURCE_UNSUPPORTED']);

type Parts = Pick<EngineParts, 'log' | 'store' | 'registry'>;

/** What has to be made so. */
export interface Agreement {
  /** Of the intents that say that the kernel may not agree with a record. */
  readonly operation: string;
  /** Makes the kernel agree with a container's record. The lock is held. */
  readonly make: (entry: ContainerEntry) => Promise<void>;
  /** Said to the log if it can't be made at once. */
  readonly warning: string;
}

/**
 * Keeps the kernel in agreement with containers' records. Before the kernel is told anything else an intent is on disk;
 * it ends when both agree, and whoever finds one at a start makes them agree.
 */
export class KernelAgreement {
  readonly #parts: Parts;
  readonly #agreement: Agreement;
  readonly #closing = new AbortController();
  readonly #repairs = new Set<Promise<void>>();

  constructor(parts: Parts, agreement: Agreement) {
    this.#parts = parts;
    this.#agreement = agreement;
  }

  /** Puts on disk that the kernel is going to be told something that the record does not say yet. */
  begin(containerId: string, payload: Record<string, unknown> = {}): string {
    const { operation } = this.#agreement;
    return this.#parts.store.intents.begin({ operation, objectKey: containerId, payload });
  }

  /**
   * Makes the kernel agree with the record and ends the intent; later, and again until it is done, if that fails for a
   * while only. The lock must be held. It never fails: what the work before it came to is what its caller wants to hear.
   */
  async restore(entry: ContainerEntry, intentId: string): Promise<void> {
    try {
      await this.#restoreOnce(entry, intentId);
    } catch (error) {
      this.#parts.log.warn({ err: error, container_id: entry.id }, this.#agreement.warning);
      this.#restoreLater(entry, intentId);
    }
  }

  /** Takes up what an engine before has left, as soon as the cgroup service is there. */
  resume(): void {
    for (const { id, operation, objectKey } of this.#parts.store.intents.list()) {
      if (operation !== this.#agreement.operation) continue;
      const entry = this.#parts.registry.byId(objectKey);
      if (entry === undefined) this.#parts.store.intents.finish(id);
      else this.#restoreLater(entry, id);
    }
  }

  /** Leaves what could not be done to the next start. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#repairs);
  }

  async #restoreOnce(entry: ContainerEntry, intentId: string): Promise<void> {
    try {
      await this.#agreement.make(entry).catch(unlessGone);
    } catch (error) {
      if (!isTeuError(error) || !LASTING.has(error.reason)) throw error;
      this.#parts.log.error({ err: error, container_id: entry.id }, this.#agreement.warning);
    }
    this.#parts.store.intents.finish(intentId);
  }

  #restoreLater(entry: ContainerEntry, intentId: string): void {
    const { signal } = this.#closing;
    const goOn = async (): Promise<void> => {
      for (let pauseMs = FIRST_PAUSE_MS; !signal.aborted;) {
        try {
          await entry.mutex.run(() => this.#restoreOnce(entry, intentId));
          return;
        } catch {
          await delay(pauseMs, undefined, { signal }).catch(() => undefined);
          pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
        }
      }
    };
    const repair = goOn().finally(() => this.#repairs.delete(repair));
    this.#repairs.add(repair);
  }
}

/** A container that has ended meanwhile has no group to be told anything. */
export function unlessGone(error: unknown): void {
  if (!isTeuError(error, 'CGROUP_NOT_FOUND')) throw error;
}
