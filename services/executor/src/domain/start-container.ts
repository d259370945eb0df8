import { teuError } from '@teu/errors';
import type { ExecutorParts } from './executor-parts.js';
import { showRunning } from './launch-container.js';
import { launchError } from './launch-error.js';
import { discard } from './launch-process.js';
import type { ProcessEntry } from './process-entry.js';

/**
 * Lets a created container's program run. If it can't be executed, the container is gone, as after a failed launch.
 * @throws INVALID_STATE unless it is created and nobody starts it already
 */
export async function startContainer(parts: ExecutorParts, first: ProcessEntry): Promise<void> {
  const { connection } = first;
  if (first.state !== 'created' || first.isStarting || connection === null) throw notCreated(first);
  if (first.world !== undefined) throw notCreated(first, 'prepared');
  first.isStarting = true;
  try {
    await connection.start();
    const { process } = await connection.started();
    showRunning(parts, first, process);
    first.isStarting = false;
  } catch (error) {
    parts.registry.remove(first);
    await connection.closed();
    await discard(first);
    throw launchError(first.description, error);
  }
}

function notCreated(first: ProcessEntry, state: string = first.state) {
  return teuError('INVALID_STATE', `${first.description} is ${state}, not created`, {
    metadata: { container_id: first.containerId, state },
  });
}
