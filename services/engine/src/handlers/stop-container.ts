import type { StopContainerRequest, StopContainerResponse } from '@teu/proto/engine';
import { msFromDuration } from '../domain/durations.js';
import type { Engine } from '../domain/engine.js';
import { refuse } from '../domain/spec-validation.js';
import { stopContainer } from '../domain/stop-container.js';

/** Asks a container to stop by its stop signal, and kills it after the timeout. */
export const stopContainerHandler =
  (engine: Engine) =>
  async (request: StopContainerRequest): Promise<StopContainerResponse> => {
    const timeoutMs = msFromDuration(request.timeoutDuration);
    if (timeoutMs !== undefined && timeoutMs < 0) refuse('timeout_duration', 'is negative');
    const entry = engine.registry.resolve(request.container);
    await stopContainer(engine, entry, timeoutMs);
    return { container: entry.container };
  };
