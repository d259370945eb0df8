import { CommitContainerRequest, ContainerTreeServiceService } from '@teu/proto/engine';
import { Image, LayerCompression } from '@teu/proto/image';
import type { Command } from '../command.js';
import { formatOption, jsonDocument, wantsJson } from '../output/json.js';

const compressions: Readonly<Record<string, LayerCompression>> = {
  gzip: LayerCompression.LAYER_COMPRESSION_GZIP,
  zstd: LayerCompression.LAYER_COMPRESSION_ZSTD,
  none: LayerCompression.LAYER_COMPRESSION_NONE,
};

export const commit: Command = {
  name: 'commit',
  group: 'containers',
  summary: 'Make an image of what a container has changed',
  usage: 'CONTAINER [NAME[:TAG]]',
  options: [
    { name: 'author', short: 'a', kind: 'value', value: 'TEXT', doc: 'who made it' },
    { name: 'message', short: 'm', kind: 'value', value: 'TEXT', doc: 'why' },
    {
      ...{ name: 'change', short: 'c', kind: 'list', value: 'INSTRUCTION' },
      doc: 'instruction of a Dockerfile: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME or WORKDIR; may be repeated',
    },
    {
      ...{ name: 'pause', short: 'p', kind: 'flag' },
      doc: 'hold the container still meanwhile (the default; --pause=false lets it run)',
    },
    {
      ...{ name: 'compression', kind: 'value', value: 'HOW', choices: Object.keys(compressions) },
      doc: 'how to pack the layer; gzip if not given',
    },
    formatOption,
  ],
  arguments: { min: 1, max: 2 },
  completes: 'containers',
  examples: [
    { command: 'teu commit web web:tried', meaning: 'what was tried in it, to run elsewhere' },
    { command: `teu commit -c 'CMD ["serve"]' web app:2`, meaning: 'with another program' },
  ],
  async run({ context, options, args }) {
    const request = CommitContainerRequest.create({
      container: args[0] ?? '',
      reference: args[1] ?? '',
      author: options.value('author') ?? '',
      comment: options.value('message') ?? '',
      changes: [...options.list('change')],
      skipFreeze: !options.flag('pause', true),
      compression: compressions[options.value('compression') ?? ''] ?? 0,
    });
    const { commitContainer } = ContainerTreeServiceService;
    const call = { signal: context.abort };
    const { image } = await context.services.engine.unary(commitContainer, request, call);
    const text = wantsJson(options)
      ? jsonDocument(image === undefined ? {} : Image.toJSON(image))
      : `${image?.id ?? ''}\n`;
    await context.stdout.write(text);
    return 0;
  },
};
