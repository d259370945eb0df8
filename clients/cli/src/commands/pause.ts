import { EngineServiceService } from '@teu/proto/engine';
import type { Command } from '../command.js';
import { forEachArgument } from '../for-each.js';

export const pause: Command = {
  name: 'pause',
  group: 'containers',
  summary: 'Stop all processes of containers from running',
  usage: 'CONTAINER...',
  options: [],
  arguments: { min: 1 },
  completes: 'running',
  examples: [{ command: 'teu pause web', meaning: 'stop it for a while; its memory stays' }],
  run(invocation) {
    const { context } = invocation;
    return forEachArgument(invocation, pause, async (container) => {
      await context.services.engine.unary(
        EngineServiceService.pauseContainer,
        { container },
        { signal: context.abort },
      );
      return container;
    });
  },
};
