import { isTeuError, teuError } from '@teu/errors';
import { CgroupServiceService } from '@teu/proto/cgroup';
import type { ContainerEntry } from './container-entry.js';
import type { EngineParts } from './engine-parts.js';
import { requireSpec } from './executor-spec.js';

/** The error for what only a running container can do. */
export function notRunning(entry: ContainerEntry): Error {
  return teuError('CONTAINER_NOT_RUNNING', `container ${entry.id} does not run`, {
    metadata: { container: entry.id },
  });
}

/** @throws CONTAINER_PAUSED for what only a container can do that is not paused. */
export function requireNotPaused(entry: ContainerEntry): void {
  if (!entry.container.paused) return;
  throw teuError('CONTAINER_PAUSED', `container ${entry.id} is paused; unpause it first`, {
    metadata: { container: entry.id },
  });
}

/**
 * A group of containers that is frozen holds up also what is begun in it. Only of a container in a group it is asked.
 * @throws CONTAINER_PAUSED, CONTAINER_NOT_RUNNING
 */
export async function requireThawedGroup(
  { peers }: Pick<EngineParts, 'peers'>,
  entry: ContainerEntry,
): Promise<void> {
  const { group } = requireSpec(entry.container);
  if (group === '') return;
  try {
    const { id } = entry;
    const { cgroup } = await peers.cgroup.call(CgroupServiceService.getCgroup, { id });
    if (cgroup?.frozen !== true) return;
  } catch (error) {
    if (isTeuError(error, 'CGROUP_NOT_FOUND')) throw notRunning(entry);
    throw error;
  }
  const text = `group "${group}" of container ${entry.id} is frozen; thaw it first`;
  throw teuError('CONTAINER_PAUSED', text, { metadata: { container: entry.id, group } });
}
