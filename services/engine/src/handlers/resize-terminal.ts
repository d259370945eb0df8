import type { ResizeTerminalRequest, ResizeTerminalResponse } from '@teu/proto/engine';
import { ExecutorServiceService } from '@teu/proto/executor';
import type { Engine } from '../domain/engine.js';
import { execNotFound } from '../domain/exec-sessions.js';
import { notRunning } from '../domain/container-state.js';

/** Changes the size of a container's or an exec process' terminal. */
export const resizeTerminalHandler =
  (engine: Engine) =>
  async (request: ResizeTerminalRequest): Promise<ResizeTerminalResponse> => {
    const { execId, size } = request;
    const entry = engine.registry.resolve(request.container);
    if (!entry.running) throw notRunning(entry);
    if (execId !== '' && engine.execSessions.containerOf(execId) !== entry.id) {
      throw execNotFound(execId);
    }
    await engine.peers.executor.call(ExecutorServiceService.resizeTerminal, {
      containerId: entry.id,
      execId,
      size,
    });
    return {};
  };
