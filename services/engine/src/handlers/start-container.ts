import type { StartContainerRequest, StartContainerResponse } from '@teu/proto/engine';
import type { Engine } from '../domain/engine.js';
import { startContainer } from '../domain/start-road.js';
import { StartClock } from '../domain/start-trace.js';

/** Runs a container that is created or has exited. */
export const startContainerHandler =
  (engine: Engine) =>
  async (request: StartContainerRequest): Promise<StartContainerResponse> => {
    const trace = new StartClock();
    const entry = engine.registry.resolve(request.container);
    await startContainer(engine, entry, trace);
    return { container: entry.container };
  };
