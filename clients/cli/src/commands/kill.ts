import { EngineServiceService } from '@teu/proto/engine';
import type { Command } from '../command.js';
import { forEachArgument } from '../for-each.js';

export const kill: Command = {
  name: 'kill',
  group: 'containers',
  summary: 'Send a signal to containers, SIGKILL if none is given',
  usage: 'CONTAINER...',
  options: [
    { name: 'signal', short: 's', kind: 'value', value: 'SIGNAL', doc: 'name or number, like HUP' },
  ],
  arguments: { min: 1 },
  completes: 'running',
  examples: [{ command: 'teu kill -s HUP web', meaning: 'have it read its configuration again' }],
  run(invocation) {
    const { context, options } = invocation;
    const signal = options.value('signal') ?? '';
    return forEachArgument(invocation, kill, async (container) => {
      await context.services.engine.unary(
        EngineServiceService.killContainer,
        { container, signal },
        { signal: context.abort },
      );
      return container;
    });
  },
};
