import { failpoint } from '@teu/failpoint';
import { newContainerId } from '@teu/ids';
import { CgroupServiceService } from '@teu/proto/cgroup';
import type { ContainerSpec } from '@teu/proto/engine';
import type { Intent } from '@teu/state';
import type { ContainerEntry } from './container-entry.js';
import type { EngineParts } from './engine-parts.js';
import { requireSpec } from './executor-spec.js';
import { withoutGoneDevices } from './gone-devices.js';
import { cgroupResources } from './host-devices.js';
import { KernelAgreement } from './kernel-agreement.js';
import { makeCgroup } from './prepare-start.js';

export const UPDATE_OPERATION = 'update';
/** The kernel frees what a lower limit of memory leaves no room for, in seconds for gigabytes. */
const UPDATE_TIMEOUT_MS = 60_000;

type Parts = Pick<EngineParts, 'log' | 'peers' | 'store' | 'registry' | 'teardown'>;

/**
 * Has the kernel follow the limits in a container's record. Before it is told anything a note is on disk; whoever finds
 * one at a start makes the kernel agree with the record.
 */
export class LimitUpdates {
  readonly #parts: Parts;
  readonly #agreement: KernelAgreement;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#agreement = new KernelAgreement(parts, {
      operation: UPDATE_OPERATION,
      make: async (entry) => {
        if (!entry.running) return;
        await this.#tell(entry.id, withoutGoneDevices(requireSpec(entry.container)));
      },
      warning: 'the limits of a container may not be those of its record',
    });
  }

  /**
   * Gives a running container the limits of a new spec, and has that recorded. The lock must be held.
   * @param record ends the intent with the given id and writes the spec down
   * @param signal gives it up
   * @throws What the cgroup service says; then the limits are those of the record
   */
  async change(
    entry: ContainerEntry,
    spec: ContainerSpec,
    record: (intentId: string) => void,
    signal?: AbortSignal,
  ): Promise<void> {
    const intentId = this.#agreement.begin(entry.id);
    try {
      failpoint('engine.update.after-intent');
      await this.#tell(entry.id, spec, signal);
      failpoint('engine.update.after-kernel');
      record(intentId);
    } catch (error) {
      await this.#agreement.restore(entry, intentId);
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
    const intentId = this.#agreement.begin(entry.id, { checkId });
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
    this.#agreement.resume();
  }

  /** Leaves what could not be done to the next start. */
  close(): Promise<void> {
    return this.#agreement.close();
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

  async #tell(id: string, spec: ContainerSpec, signal?: AbortSignal): Promise<void> {
    const request = { id, resources: cgroupResources(spec), replace: true };
    await this.#parts.peers.cgroup.call(CgroupServiceService.updateCgroup, request, {
      timeoutMs: UPDATE_TIMEOUT_MS,
      signal,
    });
  }
}
