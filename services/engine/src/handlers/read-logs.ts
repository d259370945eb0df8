import type { ReadLogsRequest, ReadLogsResponse } from '@teu/proto/engine';
import { ExecutorServiceService } from '@teu/proto/executor';
import type { CallContext } from '@teu/rpc';
import { ContainerState } from '@teu/proto/engine';
import type { Engine } from '../domain/engine.js';

/** Reads a container's output. */
export const readLogsHandler = (engine: Engine) =>
  async function* (request: ReadLogsRequest, ctx: CallContext): AsyncGenerator<ReadLogsResponse> {
    const { container, ...range } = request;
    const entry = engine.registry.resolve(container);
    const hasNeverRun = entry.container.state === ContainerState.CONTAINER_STATE_CREATED;
    if (hasNeverRun) return;
    const close = engine.readers.open(entry.id);
    try {
      const asked = { ...range, containerId: entry.id, execId: '' };
      const { signal } = ctx;
      yield* engine.peers.executor.serverStream(ExecutorServiceService.readLog, asked, { signal });
    } finally {
      close();
    }
  };
