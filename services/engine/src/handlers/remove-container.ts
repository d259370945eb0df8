import type { RemoveContainerRequest, RemoveContainerResponse } from '@teu/proto/engine';
import type { Engine } from '../domain/engine.js';
import { removeContainer } from '../domain/remove-container.js';

/** Removes a container that does not run; with force also one that does. */
export const removeContainerHandler =
  (engine: Engine) =>
  async (request: RemoveContainerRequest): Promise<RemoveContainerResponse> => {
    const entry = engine.registry.resolve(request.container);
    await removeContainer(engine, entry, request.force);
    return { id: entry.id };
  };
