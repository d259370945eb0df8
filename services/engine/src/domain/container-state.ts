import { teuError } from '@teu/errors';
import type { ContainerEntry } from './container-entry.js';

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
