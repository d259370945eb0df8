import { EngineServiceService } from '@teu/proto/engine';
import { attachContainer } from '../attachment/attach-container.js';
import { CliError } from '../cli-error.js';
import type { Command } from '../command.js';

export const attach: Command = {
  name: 'attach',
  group: 'containers',
  summary: 'Connect to the input and output of a running container',
  usage: 'CONTAINER',
  options: [
    { name: 'no-stdin', kind: 'flag', doc: 'pass no standard input on' },
    {
      name: 'sig-proxy',
      kind: 'value',
      value: 'BOOL',
      choices: ['true', 'false'],
      doc: 'pass signals on; usual is true',
    },
  ],
  arguments: { min: 1, max: 1 },
  completes: 'running',
  examples: [{ command: 'teu attach box', meaning: 'Ctrl-P Ctrl-Q leaves it running' }],
  async run({ context, options, args }) {
    const { container } = await context.services.engine.unary(
      EngineServiceService.getContainer,
      { container: args[0] ?? '' },
      { signal: context.abort },
    );
    if (container === undefined) throw new CliError('the engine did not describe the container');
    return attachContainer(context, container, {
      stdin: !options.flag('no-stdin'),
      signals: options.value('sig-proxy') !== 'false',
      fromOffset: -1,
    });
  },
};
