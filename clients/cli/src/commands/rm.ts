import { EngineServiceService } from '@teu/proto/engine';
import type { Command } from '../command.js';
import { forEachContainer } from '../for-each.js';
import { formatOption } from '../output/json.js';
import { startTimeoutMs } from './timeouts.js';

export const rm: Command = {
  name: 'rm',
  group: 'containers',
  summary: 'Remove containers',
  usage: 'CONTAINER...',
  options: [{ name: 'force', short: 'f', kind: 'flag', doc: 'kill those that run' }, formatOption],
  arguments: { min: 1 },
  completes: 'containers',
  examples: [{ command: 'teu rm -f $(teu ps -a -q)', meaning: 'remove all' }],
  run(invocation) {
    const { context, options } = invocation;
    return forEachContainer(invocation, rm, (container) =>
      context.services.engine.unary(
        EngineServiceService.removeContainer,
        { container, force: options.flag('force') },
        { timeoutMs: startTimeoutMs, signal: context.abort },
      ),
    );
  },
};
