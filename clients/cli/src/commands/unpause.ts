import { EngineServiceService } from '@teu/proto/engine';
import type { Command } from '../command.js';
import { forEachArgument } from '../for-each.js';

export const unpause: Command = {
  name: 'unpause',
  group: 'containers',
  summary: 'Let paused containers go on',
  usage: 'CONTAINER...',
  options: [],
  arguments: { min: 1 },
  completes: 'running',
  examples: [{ command: 'teu unpause web', meaning: 'let it go on' }],
  run(invocation) {
    const { context } = invocation;
    return forEachArgument(invocation, unpause, async (container) => {
      await context.services.engine.unary(
        EngineServiceService.unpauseContainer,
        { container },
        { signal: context.abort },
      );
      return container;
    });
  },
};
