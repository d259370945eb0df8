import { teuError } from '@teu/errors';
import type { WaitContainerRequest, WaitContainerResponse } from '@teu/proto/engine';
import type { CallContext } from '@teu/rpc';
import type { Engine } from '../domain/engine.js';

/** Waits until a container does not run, and tells how it ended. */
export const waitContainerHandler =
  (engine: Engine) =>
  async (request: WaitContainerRequest, ctx: CallContext): Promise<WaitContainerResponse> => {
    const entry = engine.registry.resolve(request.container);
    const exit = await entry.waitUntilStopped(ctx.signal);
    if (exit !== undefined) return { exit };
    throw teuError('CONTAINER_NOT_RUNNING', `container ${entry.id} has never run`, {
      metadata: { container: entry.id },
    });
  };
