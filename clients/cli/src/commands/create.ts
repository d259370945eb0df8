import { EngineServiceService } from '@teu/proto/engine';
import { randomUUID } from 'node:crypto';
import type { Command } from '../command.js';
import { containerOptions, containerSpec } from '../options/container-options.js';
import { printWarnings } from '../output/warnings.js';
import { startTimeoutMs } from './timeouts.js';

export const create: Command = {
  name: 'create',
  group: 'containers',
  summary: 'Make a container without starting it',
  usage: 'IMAGE [COMMAND] [ARGUMENT...]',
  options: containerOptions,
  arguments: { min: 1 },
  optionsFirst: true,
  completes: 'images',
  failureCode: 125,
  examples: [{ command: 'teu create --name job busybox date', meaning: 'to be started later' }],
  async run(invocation) {
    const { context } = invocation;
    const { container, warnings } = await context.services.engine.unary(
      EngineServiceService.createContainer,
      { spec: await containerSpec(invocation), requestId: randomUUID() },
      { timeoutMs: startTimeoutMs, signal: context.abort },
    );
    await printWarnings(context, warnings);
    await context.stdout.write(`${container?.id ?? ''}\n`);
    return 0;
  },
};
