import type { UpdateContainerRequest, UpdateContainerResponse } from '@teu/proto/engine';
import { LinuxResources } from '@teu/proto/type';
import type { CallContext } from '@teu/rpc';
import type { Engine } from '../domain/engine.js';
import { updateContainer } from '../domain/update-container.js';

/** Changes limits of a container. */
export const updateContainerHandler =
  (engine: Engine) =>
  async (
    request: UpdateContainerRequest,
    { signal }: CallContext,
  ): Promise<UpdateContainerResponse> => {
    const entry = engine.registry.resolve(request.container);
    await updateContainer(engine, entry, request.resources ?? LinuxResources.create(), signal);
    return { container: entry.container };
  };
