import type { CallContext } from '@teu/rpc';
import {
  ContainerSpec,
  type RunContainerRequest,
  type RunContainerResponse,
} from '@teu/proto/engine';
import type { Engine } from '../domain/engine.js';
import { runContainer } from '../domain/start-road.js';
import { StartClock } from '../domain/start-trace.js';

/** Makes a container and runs it, and on request waits for its end. */
export const runContainerHandler =
  (engine: Engine) =>
  async (request: RunContainerRequest, ctx: CallContext): Promise<RunContainerResponse> => {
    const trace = new StartClock();
    const { spec = ContainerSpec.create(), requestId, wait } = request;
    const outcome = await engine.repeatable.perform('run', { spec, requestId }, (container) =>
      runContainer(engine, container, { trace, waits: wait }),
    );
    if (!wait) return { container: outcome.answer, warnings: [] };
    await outcome.entry?.waitUntilStopped(ctx.signal);
    const container = outcome.final ?? outcome.entry?.container ?? outcome.answer;
    return { container, warnings: [] };
  };
