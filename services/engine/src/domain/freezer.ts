import { failpoint } from '@teu/failpoint';
import { CgroupServiceService } from '@teu/proto/cgroup';
import type { ContainerEntry } from './container-entry.js';
import type { EngineParts } from './engine-parts.js';
import { KernelAgreement, unlessGone } from './kernel-agreement.js';
import { Mutex } from './mutex.js';

export const FREEZE_OPERATION = 'freeze';

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
  readonly #agreement: KernelAgreement;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#agreement = new KernelAgreement(parts, {
      operation: FREEZE_OPERATION,
      make: (entry) =>
        this.#tell(entry.id, entry.running && (entry.container.paused || this.#held.has(entry))),
      warning: 'a container is still frozen, or not frozen again',
    });
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
    const intentId = this.#agreement.begin(entry.id);
    const verb = frozen ? 'pause' : 'unpause';
    try {
      failpoint(`engine.${verb}.after-intent`);
      if (frozen || !this.#held.has(entry)) await this.#tell(entry.id, frozen);
      failpoint(`engine.${verb}.after-kernel`);
      record(intentId);
    } catch (error) {
      await this.#agreement.restore(entry, intentId);
      throw error;
    }
    failpoint(`engine.${verb}.after-record`);
  }

  /** Takes up what an engine before has left, as soon as the cgroup service is there. */
  resume(): void {
    this.#agreement.resume();
  }

  /** Leaves what could not be done to the next start. */
  close(): Promise<void> {
    return this.#agreement.close();
  }

  async #hold(entry: ContainerEntry): Promise<string | undefined> {
    if (!entry.running) return undefined;
    const intentId = this.#agreement.begin(entry.id);
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
    await this.#agreement.restore(entry, intentId);
  }

  async #tell(id: string, frozen: boolean): Promise<void> {
    const { freezeCgroup, thawCgroup } = CgroupServiceService;
    await this.#parts.peers.cgroup.call(frozen ? freezeCgroup : thawCgroup, { id });
  }
}
