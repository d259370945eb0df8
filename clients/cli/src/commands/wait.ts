import { EngineServiceService } from '@teu/proto/engine';
import type { Command } from '../command.js';
import { forEachArgument } from '../for-each.js';
import { formatOption, wantsJson } from '../output/json.js';
import { waitTimeoutMs } from './timeouts.js';

export const wait: Command = {
  name: 'wait',
  group: 'containers',
  summary: 'Wait until containers have ended and print their exit codes',
  usage: 'CONTAINER...',
  options: [formatOption],
  arguments: { min: 1 },
  completes: 'containers',
  examples: [{ command: 'teu wait job', meaning: 'prints 0 if all went well' }],
  run(invocation) {
    const { context, options } = invocation;
    return forEachArgument(invocation, wait, async (container) => {
      const { exit } = await context.services.engine.unary(
        EngineServiceService.waitContainer,
        { container },
        { timeoutMs: waitTimeoutMs, signal: context.abort },
      );
      const exitCode = exit?.exitCode ?? 255;
      return wantsJson(options) ? JSON.stringify({ container, exitCode }) : String(exitCode);
    });
  },
};
