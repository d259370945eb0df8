import { ContainerTreeServiceService } from '@teu/proto/engine';
import { resolve } from 'node:path';
import type { Command } from '../command.js';
import { formatOption } from '../output/json.js';
import { followFile, requireBinaryOutput } from '../output/tar-output.js';

export const exportTree: Command = {
  name: 'export',
  group: 'containers',
  summary: 'Write the root file system of a container as a tar',
  usage: 'CONTAINER',
  options: [
    {
      ...{ name: 'output', short: 'o', kind: 'value', value: 'FILE' },
      doc: 'file to write; without it, standard output',
    },
    { name: 'quiet', short: 'q', kind: 'flag', doc: 'show no progress' },
    formatOption,
  ],
  arguments: { min: 1, max: 1 },
  completes: 'containers',
  examples: [
    { command: 'teu export -o web.tar web', meaning: 'running or not; without what is mounted' },
    { command: 'teu export web | tar t', meaning: 'what is in it' },
  ],
  async run(invocation) {
    const { context, options, args } = invocation;
    const [container = ''] = args;
    const output = options.value('output') ?? '-';
    const { engine } = context.services;
    const call = { signal: context.abort };
    if (output !== '-') {
      const request = { container, path: resolve(context.cwd, output) };
      const { exportContainer } = ContainerTreeServiceService;
      await followFile(invocation, 'Writing', engine.serverStream(exportContainer, request, call));
      return 0;
    }
    requireBinaryOutput(invocation);
    const { downloadContainer } = ContainerTreeServiceService;
    const parts = engine.serverStream(downloadContainer, { container }, call);
    for await (const { data } of parts) await context.stdout.write(data);
    return 0;
  },
};
