import { setTimeout as delay } from 'node:timers/promises';
import { isTeuError } from '@teu/errors';
import { failpoint } from '@teu/failpoint';
import { CgroupServiceService } from '@teu/proto/cgroup';
import type { ContainerEntry } from './container-entry.js';
import type { EngineParts } from './engine-parts.js';
import { Mutex } from './mutex.js';

export const FREEZE_OPERATION = 'freeze';

const AGAIN_MS = 500;

type Parts = Pick<EngineParts, 'log' | 'peers' | 'store' | 'registry'>;

/**
 * Freezes containers and lets them go on: for a while, or until a client says so. A container stands still if its record
 * says that it is paused, or while work holds it. Before the kernel is told anything a note is on disk; whoever finds
 * one at a start makes the kernel agree with the record.
 */
export class Freezer {
  readonly #parts: Parts;
  readonly #mutexes = new WeakMap<ContainerEntry, Mutex>();
  /** Containers that work is done on while they are frozen. */
  readonly #held = new Set<ContainerEntry>();
  readonly #closing = new AbortController();
  readonly #repairs = new Set<Promise<void>>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Does work while a container is frozen, if it runs. Other such work on it comes after; the lock is not held. */
  async whileFrozen<T>(entry: ContainerEntry, work: () => Promise<T>): Promise<T> {
    const mutex = this.#mutexes.get(entry) ?? new Mutex();
    this.#mutexes.set(entry, mutex);
    return mutex.run(async () => {
      const intentId = await entry.mutex.run(() => this.#hold(entry));
      if (intentId === undefined) return work();
      try {
        failpoint('engine.commit.after-freeze');
        return await work();
      } finally {
        await entry.mutex.run(() => this.#release(entry, intentId));
      }
    });
  }

  /**
   * Freezes a running container or lets it go on, and has that recorded. The lock must be held. What is held for work
   * goes on when that has ended.
   * @param record ends the intent with the given id and says in the container's record whether it is paused
   * @throws What the cgroup service says; then the container is as it was
   */
  async change(
    entry: ContainerEntry,
    frozen: boolean,
    record: (intentId: string) => void,
  ): Promise<void> {
    const intentId = this.#begin(entry);
    const verb = frozen ? 'pause' : 'unpause';
    try {
      failpoint(`engine.${verb}.after-intent`);
      if (frozen || !this.#held.has(entry)) await this.#tell(entry.id, frozen);
      failpoint(`engine.${verb}.after-kernel`);
      record(intentId);
    } catch (error) {
      await this.#agree(entry, intentId);
      throw error;
    }
    failpoint(`engine.${verb}.after-record`);
  }

  /** Takes up what an engine before has left, as soon as the cgroup service is there. */
  resume(): void {
    for (const { id, operation, objectKey } of this.#parts.store.intents.list()) {
      if (operation !== FREEZE_OPERATION) continue;
      const entry = this.#parts.registry.byId(objectKey);
      if (entry === undefined) this.#parts.store.intents.finish(id);
      else this.#agreeLater(entry, id);
    }
  }

  /** Leaves what could not be done to the next start. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#repairs);
  }

  #begin({ id }: ContainerEntry): string {
    const { intents } = this.#parts.store;
    return intents.begin({ operation: FREEZE_OPERATION, objectKey: id, payload: {} });
  }

  async #hold(entry: ContainerEntry): Promise<string | undefined> {
    if (!entry.running) return undefined;
    const intentId = this.#begin(entry);
    this.#held.add(entry);
    try {
      await this.#tell(entry.id, true).catch(unlessGone);
      return intentId;
    } catch (error) {
      await this.#release(entry, intentId);
      throw error;
    }
  }

  async #release(entry: ContainerEntry, intentId: string): Promise<void> {
    this.#held.delete(entry);
    await this.#agree(entry, intentId);
  }

  async #agree(entry: ContainerEntry, intentId: string): Promise<void> {
    try {
      await this.#agreeOnce(entry, intentId);
    } catch (error) {
      // The work was done, or failed by itself, and that is what its caller wants to hear.
      const fields = { err: error, container_id: entry.id };
      this.#parts.log.warn(fields, 'a container is still frozen, or not frozen again');
      this.#agreeLater(entry, intentId);
    }
  }

  /** Makes the kernel agree with what is wanted. The lock must be held. */
  async #agreeOnce(entry: ContainerEntry, intentId: string): Promise<void> {
    const frozen = entry.running && (entry.container.paused || this.#held.has(entry));
    await this.#tell(entry.id, frozen).catch(unlessGone);
    this.#parts.store.intents.finish(intentId);
  }

  async #tell(id: string, frozen: boolean): Promise<void> {
    const { freezeCgroup, thawCgroup } = CgroupServiceService;
    await this.#parts.peers.cgroup.call(frozen ? freezeCgroup : thawCgroup, { id });
  }

  #agreeLater(entry: ContainerEntry, intentId: string): void {
    const { signal } = this.#closing;
    const goOn = async (): Promise<void> => {
      while (!signal.aborted) {
        try {
          await entry.mutex.run(() => this.#agreeOnce(entry, intentId));
          return;
        } catch {
          await delay(AGAIN_MS, undefined, { signal }).catch(() => undefined);
        }
      }
    };
    const repair = goOn().finally(() => this.#repairs.delete(repair));
    this.#repairs.add(repair);
  }
}

/** A container that has ended meanwhile has no group, and nothing in it that is frozen. */
function unlessGone(error: unknown): void {
  if (!isTeuError(error, 'CGROUP_NOT_FOUND')) throw error;
}
