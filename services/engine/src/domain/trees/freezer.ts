import { setTimeout as delay } from 'node:timers/promises';
import { isTeuError } from '@teu/errors';
import { failpoint } from '@teu/failpoint';
import { CgroupServiceService } from '@teu/proto/cgroup';
import type { ContainerEntry } from '../container-entry.js';
import type { EngineParts } from '../engine-parts.js';
import { Mutex } from '../mutex.js';

export const FREEZE_OPERATION = 'freeze';

const AGAIN_MS = 500;

/**
 * Freezes containers for a while. A note of each that is frozen is on disk before it is, so that it goes on running
 * whatever becomes of this process.
 */
export class Freezer {
  readonly #parts: Pick<EngineParts, 'log' | 'peers' | 'store'>;
  readonly #mutexes = new WeakMap<ContainerEntry, Mutex>();
  readonly #closing = new AbortController();
  readonly #thaws = new Set<Promise<void>>();

  constructor(parts: Pick<EngineParts, 'log' | 'peers' | 'store'>) {
    this.#parts = parts;
  }

  /** Does work while a container is frozen, if it runs. What is done to the same one comes after it. */
  async whileFrozen<T>(entry: ContainerEntry, work: () => Promise<T>): Promise<T> {
    const mutex = this.#mutexes.get(entry) ?? new Mutex();
    this.#mutexes.set(entry, mutex);
    return mutex.run(async () => {
      if (!entry.running) return work();
      const { id } = entry;
      const intent = this.#parts.store.intents.begin({
        ...{ operation: FREEZE_OPERATION, objectKey: id, payload: {} },
      });
      try {
        await this.#parts.peers.cgroup
          .call(CgroupServiceService.freezeCgroup, { id })
          .catch(unlessGone);
        failpoint('engine.commit.after-freeze');
        return await work();
      } finally {
        await this.#thaw(id, intent);
      }
    });
  }

  /** Lets go on what an engine before has left frozen, as soon as the cgroup service is there. */
  resume(): void {
    for (const { id, operation, objectKey } of this.#parts.store.intents.list()) {
      if (operation === FREEZE_OPERATION) this.#thawLater(objectKey, id);
    }
  }

  /** Leaves what could not be let go on to the next start. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#thaws);
  }

  async #thaw(id: string, intent: string): Promise<void> {
    try {
      await this.#thawOnce(id, intent);
    } catch (error) {
      // The work was done, or failed by itself, and that is what its caller wants to hear.
      this.#parts.log.warn({ err: error, container_id: id }, 'a container is still frozen');
      this.#thawLater(id, intent);
    }
  }

  async #thawOnce(id: string, intent: string): Promise<void> {
    const { peers, store } = this.#parts;
    await peers.cgroup.call(CgroupServiceService.thawCgroup, { id }).catch(unlessGone);
    store.intents.finish(intent);
  }

  #thawLater(id: string, intent: string): void {
    const { signal } = this.#closing;
    const goOn = async (): Promise<void> => {
      while (!signal.aborted) {
        try {
          await this.#thawOnce(id, intent);
          return;
        } catch {
          await delay(AGAIN_MS, undefined, { signal }).catch(() => undefined);
        }
      }
    };
    const thaw = goOn().finally(() => this.#thaws.delete(thaw));
    this.#thaws.add(thaw);
  }
}

/** A container that has ended meanwhile has no group, and nothing in it that is frozen. */
function unlessGone(error: unknown): void {
  if (!isTeuError(error, 'CGROUP_NOT_FOUND')) throw error;
}
