import type { KillContainerRequest, KillContainerResponse } from '@teu/proto/engine';
import { SIGKILL } from '../domain/defaults.js';
import type { Engine } from '../domain/engine.js';
import { requireSignal } from '../domain/spec-validation.js';
import { killContainer } from '../domain/stop-container.js';

/** Sends a signal to a container's first process. */
export const killContainerHandler =
  (engine: Engine) =>
  async (request: KillContainerRequest): Promise<KillContainerResponse> => {
    const signal = request.signal === '' ? SIGKILL : requireSignal('signal', request.signal);
    await killContainer(engine, engine.registry.resolve(request.container), signal);
    return {};
  };
