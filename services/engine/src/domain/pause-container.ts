import { isTeuError, teuError } from '@teu/errors';
import type { ContainerEntry } from './container-entry.js';
import { containerNotFound } from './container-registry.js';
import { notRunning, requireNotPaused } from './container-state.js';
import type { EngineParts } from './engine-parts.js';
import { recordPaused } from './transitions.js';

/**
 * Stops all processes of a container from running.
 * @throws CONTAINER_NOT_RUNNING; CONTAINER_PAUSED if they are stopped; CGROUP_BUSY if one does not stop: then all go on
 */
export async function pauseContainer(parts: EngineParts, entry: ContainerEntry): Promise<void> {
  await entry.mutex.run(async () => {
    requireRunning(entry);
    requireNotPaused(entry);
    try {
      await parts.freezer.change(entry, true, (intentId) =>
        recordPaused(parts, entry, true, intentId),
      );
    } catch (error) {
      // It has ended, though its exit is not recorded yet.
      if (isTeuError(error, 'CGROUP_NOT_FOUND')) throw notRunning(entry);
      throw error;
    }
  });
}

/**
 * Lets a paused container go on.
 * @throws CONTAINER_NOT_RUNNING, INVALID_STATE if it is not paused
 */
export async function unpauseContainer(parts: EngineParts, entry: ContainerEntry): Promise<void> {
  await entry.mutex.run(async () => {
    requireRunning(entry);
    if (!entry.container.paused) {
      throw teuError('INVALID_STATE', `container ${entry.id} is not paused`, {
        metadata: { container: entry.id },
      });
    }
    await goOn(parts, entry);
  });
}

/** Lets a container go on if it is paused. The lock must be held. */
export async function goOn(parts: EngineParts, entry: ContainerEntry): Promise<void> {
  if (!entry.running || !entry.container.paused) return;
  await parts.freezer.change(entry, false, (intentId) =>
    recordPaused(parts, entry, false, intentId),
  );
}

function requireRunning(entry: ContainerEntry): void {
  if (entry.removed) throw containerNotFound(entry.id);
  if (!entry.running) throw notRunning(entry);
}
