import { EngineServiceService } from '@teu/proto/engine';
import type { Command } from '../command.js';
import { forEachContainer } from '../for-each.js';
import { formatOption } from '../output/json.js';

export const unpause: Command = {
  name: 'unpause',
  group: 'containers',
  summary: 'Let paused containers go on',
  usage: 'CONTAINER...',
  options: [formatOption],
  arguments: { min: 1 },
  completes: 'running',
  examples: [{ command: 'teu unpause web', meaning: 'let it go on' }],
  run(invocation) {
    const { context } = invocation;
    return forEachContainer(invocation, unpause, (container) =>
      context.services.engine.unary(
        EngineServiceService.unpauseContainer,
        { container },
        { signal: context.abort },
      ),
    );
  },
};
