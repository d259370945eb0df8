import { EngineServiceService } from '@teu/proto/engine';
import { randomUUID } from 'node:crypto';
import { runAttached } from '../attachment/run-attached.js';
import type { Command } from '../command.js';
import { containerOptions, containerSpec } from '../options/container-options.js';
import { printWarnings } from '../output/warnings.js';
import { pullOption, withImage } from './pull-missing.js';
import { startTimeoutMs } from './timeouts.js';

export const run: Command = {
  name: 'run',
  group: 'containers',
  summary: 'Run a program in a new container',
  usage: 'IMAGE [COMMAND] [ARGUMENT...]',
  options: [
    { name: 'detach', short: 'd', kind: 'flag', doc: 'leave it running and print its id' },
    pullOption,
    ...containerOptions,
  ],
  arguments: { min: 1 },
  optionsFirst: true,
  completes: 'images',
  failureCode: 125,
  examples: [
    { command: 'teu run --rm -it busybox', meaning: 'a shell in a container that leaves nothing' },
    { command: 'teu run -d --name web busybox httpd -f', meaning: 'a server in the background' },
    { command: 'teu run --rm --memory 64m --cpus 0.5 busybox sh', meaning: 'with limits' },
    { command: 'echo hello | teu run --rm -i busybox wc -c', meaning: 'in a pipe' },
  ],
  async run(invocation) {
    const { context, options } = invocation;
    const spec = await containerSpec(invocation);
    if (!options.flag('detach')) {
      return withImage(invocation, spec, () => runAttached(context, spec));
    }
    const { container, warnings } = await withImage(invocation, spec, () =>
      context.services.engine.unary(
        EngineServiceService.runContainer,
        { spec, wait: false, requestId: randomUUID() },
        { timeoutMs: startTimeoutMs, signal: context.abort },
      ),
    );
    await printWarnings(context, warnings);
    await context.stdout.write(`${container?.id ?? ''}\n`);
    return 0;
  },
};
