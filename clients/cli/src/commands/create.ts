import { EngineServiceService } from '@teu/proto/engine';
import { randomUUID } from 'node:crypto';
import type { Command } from '../command.js';
import { containerOptions, containerSpec } from '../options/container-options.js';
import { printWarnings } from '../output/warnings.js';
import { pullOption, withImage } from './pull-missing.js';
import { startTimeoutMs } from './timeouts.js';

export const create: Command = {
  name: 'create',
  group: 'containers',
  summary: 'Make a container without starting it',
  usage: 'IMAGE [COMMAND] [ARGUMENT...]',
  options: [pullOption, ...containerOptions],
  arguments: { min: 1 },
  optionsFirst: true,
  completes: 'images',
  failureCode: 125,
  examples: [{ command: 'teu create --name job busybox date', meaning: 'to be started later' }],
  async run(invocation) {
    const { context } = invocation;
    const spec = await containerSpec(invocation);
    const { container, warnings } = await withImage(invocation, { ...spec, stdinOpen: false }, () =>
      context.services.engine.unary(
        EngineServiceService.createContainer,
        { spec, requestId: randomUUID() },
        { timeoutMs: startTimeoutMs, signal: context.abort },
      ),
    );
    await printWarnings(context, warnings);
    await context.stdout.write(`${container?.id ?? ''}\n`);
    return 0;
  },
};
