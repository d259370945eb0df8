import type { CommitContainerRequest, CommitContainerResponse } from '@teu/proto/engine';
import type { Engine } from '../domain/engine.js';
import { commitContainer } from '../domain/trees/container-tree.js';

/** Makes an image of a container. */
export const commitContainerHandler =
  (engine: Engine) =>
  async (request: CommitContainerRequest): Promise<CommitContainerResponse> => ({
    image: await commitContainer(engine, engine.registry.resolve(request.container), request),
  });
