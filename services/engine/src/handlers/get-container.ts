import type { GetContainerRequest, GetContainerResponse } from '@teu/proto/engine';
import type { Engine } from '../domain/engine.js';

/** Describes one container. */
export const getContainerHandler =
  (engine: Engine) =>
  async (request: GetContainerRequest): Promise<GetContainerResponse> => ({
    container: engine.registry.resolve(request.container).container,
  });
