import {
  ContainerSpec,
  type CreateContainerRequest,
  type CreateContainerResponse,
} from '@teu/proto/engine';
import type { Engine } from '../domain/engine.js';
import { createContainer } from '../domain/start-road.js';

/** Records a container and prepares its root file system. */
export const createContainerHandler =
  (engine: Engine) =>
  async (request: CreateContainerRequest): Promise<CreateContainerResponse> => {
    const { spec = ContainerSpec.create(), requestId } = request;
    const outcome = await engine.repeatable.perform('create', { spec, requestId }, (container) =>
      createContainer(engine, container),
    );
    return { container: outcome.answer, warnings: [] };
  };
