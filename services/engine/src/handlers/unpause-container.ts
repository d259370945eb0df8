import type { UnpauseContainerRequest, UnpauseContainerResponse } from '@teu/proto/engine';
import type { Engine } from '../domain/engine.js';
import { unpauseContainer } from '../domain/pause-container.js';

/** Lets a paused container go on. */
export const unpauseContainerHandler =
  (engine: Engine) =>
  async (request: UnpauseContainerRequest): Promise<UnpauseContainerResponse> => {
    const entry = engine.registry.resolve(request.container);
    await unpauseContainer(engine, entry);
    return { container: entry.container };
  };
