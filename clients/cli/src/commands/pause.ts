import { EngineServiceService } from '@teu/proto/engine';
import type { Command } from '../command.js';
import { forEachContainer } from '../for-each.js';
import { formatOption } from '../output/json.js';

export const pause: Command = {
  name: 'pause',
  group: 'containers',
  summary: 'Stop all processes of containers from running',
  usage: 'CONTAINER...',
  options: [formatOption],
  arguments: { min: 1 },
  completes: 'running',
  examples: [{ command: 'teu pause web', meaning: 'stop it for a while; its memory stays' }],
  run(invocation) {
    const { context } = invocation;
    return forEachContainer(invocation, pause, (container) =>
      context.services.engine.unary(
        EngineServiceService.pauseContainer,
        { container },
        { signal: context.abort },
      ),
    );
  },
};
