import { teuError } from '@teu/errors';
import { failpoint } from '@teu/failpoint';
import type { ContainerEntry } from './container-entry.js';
import { containerNotFound } from './container-registry.js';
import type { EngineParts } from './engine-parts.js';
import { killEverything, requireStopped } from './stop-container.js';
import { recordRemoval } from './transitions.js';

/** How often a forced removal may find that somebody has started the container again. */
const ATTEMPTS = 5;

/**
 * Removes a container.
 * @throws CONTAINER_RUNNING unless forced; CONTAINER_NOT_FOUND if another call removed it first
 */
export async function removeContainer(
  parts: EngineParts,
  entry: ContainerEntry,
  force: boolean,
): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    if (await removeStopped(parts, entry, force)) return;
    await requireStopped(entry);
    // It may have removed itself, which is what was asked for.
    if (entry.removed) return;
  }
  throw teuError(
    'CONFLICT',
    `container ${entry.id} was started again and again during its removal`,
  );
}

/** True if it is removed, false if it was only killed and has yet to end. */
async function removeStopped(
  parts: EngineParts,
  entry: ContainerEntry,
  force: boolean,
): Promise<boolean> {
  return entry.mutex.run(async () => {
    if (entry.removed) throw containerNotFound(entry.id);
    if (entry.running) {
      if (!force) {
        throw teuError(
          'CONTAINER_RUNNING',
          `container ${entry.id} runs; stop it first, or force its removal`,
          { metadata: { container: entry.id } },
        );
      }
      await killEverything(parts, entry);
      return false;
    }
    recordRemoval(parts, entry);
    failpoint('engine.remove.after-record');
    return true;
  });
}
