import { setTimeout as delay } from 'node:timers/promises';
import { isTeuError } from '@teu/errors';
import { failpoint } from '@teu/failpoint';
import { newContainerId } from '@teu/ids';
import { CgroupServiceService } from '@teu/proto/cgroup';
import type { ContainerSpec } from '@teu/proto/engine';
import type { Intent } from '@teu/state';
import type { ContainerEntry } from './container-entry.js';
import type { EngineParts } from './engine-parts.js';
import { requireSpec } from './executor-spec.js';
import { cgroupResources } from './host-devices.js';
import { makeCgroup } from './prepare-start.js';

export const UPDATE_OPERATION = 'update';

const AGAIN_MS = 500;

type Parts = Pick<EngineParts, 'log' | 'peers' | 'store' | 'registry' | 'teardown'>;

/**
 * Has the kernel follow the limits in a container's record. Before it is told anything a note is on disk; whoever finds
 * one at a start makes the kernel agree with the record.
 */
export class LimitUpdates {
  readonly #parts: Parts;
  readonly #closing = new AbortController();
  readonly #repairs = new Set<Promise<void>>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Gives a running container the limits of a new spec, and has that recorded. The lock must be held.
   * @param record ends the intent with the given id and writes the spec down
   * @throws What the cgroup service says; then the limits are those of the record
   */
  async change(
    entry: ContainerEntry,
    spec: ContainerSpec,
    record: (intentId: string) => void,
  ): Promise<void> {
    const intentId = this.#begin(entry.id);
    try {
      failpoint('engine.update.after-intent');
      await this.#tell(entry.id, spec);
      failpoint('engine.update.after-kernel');
      record(intentId);
    } catch (error) {
      await this.#agree(entry, intentId);
      throw error;
    }
    failpoint('engine.update.after-record');
  }

  /**
   * Has limits recorded that this host can enforce: a cgroup with them is made and removed. The lock must be held.
   * @param record ends the intent with the given id and writes the spec down
   */
  async check(
    entry: ContainerEntry,
    spec: ContainerSpec,
    record: (intentId: string) => void,
  ): Promise<void> {
    const checkId = newContainerId();
    const intentId = this.#begin(entry.id, checkId);
    try {
      // In no group: a frozen one takes nobody in.
      await makeCgroup(this.#parts, checkId, { resources: cgroupResources(spec), group: '' });
    } catch (error) {
      this.#finishCheck(intentId, checkId);
      throw error;
    }
    this.#clear(checkId);
    record(intentId);
  }

  /** At a start, before other services are there: what was made to check limits is cleared away. */
  recover({ id, payload }: Intent): void {
    const { checkId } = payload as { checkId?: string };
    if (checkId !== undefined) this.#finishCheck(id, checkId);
  }

  /** Takes up what an engine before has left, as soon as the cgroup service is there. */
  resume(): void {
    for (const { id, operation, objectKey } of this.#parts.store.intents.list()) {
      if (operation !== UPDATE_OPERATION) continue;
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

  #begin(id: string, checkId?: string): string {
    const payload = checkId === undefined ? {} : { checkId };
    return this.#parts.store.intents.begin({
      operation: UPDATE_OPERATION,
      objectKey: id,
      payload,
    });
  }

  #clear(checkId: string): void {
    const { store, teardown } = this.#parts;
    store.transaction(() => teardown.schedule({ containerId: checkId, cgroup: true }));
  }

  #finishCheck(intentId: string, checkId: string): void {
    const { store, teardown } = this.#parts;
    store.transaction(() => {
      store.intents.finish(intentId);
      teardown.schedule({ containerId: checkId, cgroup: true });
    });
  }

  async #agree(entry: ContainerEntry, intentId: string): Promise<void> {
    try {
      await this.#agreeOnce(entry, intentId);
    } catch (error) {
      // Why the limits could not be changed is what the caller wants to hear.
      const fields = { err: error, container_id: entry.id };
      this.#parts.log.warn(fields, 'the limits of a container may not be those of its record');
      this.#agreeLater(entry, intentId);
    }
  }

  /** Makes the kernel agree with the record. The lock must be held. */
  async #agreeOnce(entry: ContainerEntry, intentId: string): Promise<void> {
    if (entry.running) await this.#tell(entry.id, requireSpec(entry.container)).catch(unlessGone);
    this.#parts.store.intents.finish(intentId);
  }

  async #tell(id: string, spec: ContainerSpec): Promise<void> {
    const request = { id, resources: cgroupResources(spec), replace: true };
    await this.#parts.peers.cgroup.call(CgroupServiceService.updateCgroup, request);
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

/** A container that has ended meanwhile has no group. */
function unlessGone(error: unknown): void {
  if (!isTeuError(error, 'CGROUP_NOT_FOUND')) throw error;
}
