import { EngineServiceService } from '@teu/proto/engine';
import type { Command } from '../command.js';
import { forEachArgument } from '../for-each.js';
import { waitTimeoutMs } from './timeouts.js';

export const wait: Command = {
  name: 'wait',
  group: 'containers',
  summary: 'Wait until containers have ended and print their exit codes',
  usage: 'CONTAINER...',
  options: [],
  arguments: { min: 1 },
  completes: 'containers',
  examples: [{ command: 'teu wait job', meaning: 'prints 0 if all went well' }],
  run(invocation) {
    const { context } = invocation;
    return forEachArgument(invocation, wait, async (container) => {
      const { exit } = await context.services.engine.unary(
        EngineServiceService.waitContainer,
        { container },
        { timeoutMs: waitTimeoutMs, signal: context.abort },
      );
      return String(exit?.exitCode ?? 255);
    });
  },
};
