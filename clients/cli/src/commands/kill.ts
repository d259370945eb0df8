import { EngineServiceService } from '@teu/proto/engine';
import type { Command } from '../command.js';
import { forEachContainer } from '../for-each.js';
import { formatOption } from '../output/json.js';

export const kill: Command = {
  name: 'kill',
  group: 'containers',
  summary: 'Send a signal to containers, SIGKILL if none is given',
  usage: 'CONTAINER...',
  options: [
    { name: 'signal', short: 's', kind: 'value', value: 'SIGNAL', doc: 'name or number, like HUP' },
    formatOption,
  ],
  arguments: { min: 1 },
  completes: 'running',
  examples: [{ command: 'teu kill -s HUP web', meaning: 'have it read its configuration again' }],
  run(invocation) {
    const { context, options } = invocation;
    const signal = options.value('signal') ?? '';
    return forEachContainer(invocation, kill, (container) =>
      context.services.engine.unary(
        EngineServiceService.killContainer,
        { container, signal },
        { signal: context.abort },
      ),
    );
  },
};
