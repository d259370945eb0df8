import type { PauseContainerRequest, PauseContainerResponse } from '@teu/proto/engine';
import type { Engine } from '../domain/engine.js';
import { pauseContainer } from '../domain/pause-container.js';

/** Stops all processes of a container from running. */
export const pauseContainerHandler =
  (engine: Engine) =>
  async (request: PauseContainerRequest): Promise<PauseContainerResponse> => {
    const entry = engine.registry.resolve(request.container);
    await pauseContainer(engine, entry);
    return { container: entry.container };
  };
