import { ArchiveFormat, LoadImageRequest } from '@teu/proto/image';
import { resolve } from 'node:path';
import type { Command } from '../command.js';
import { formatOption } from '../output/json.js';
import { loadWith } from './load.js';

export const importTree: Command = {
  name: 'import',
  group: 'images',
  summary: 'Make an image of the tar of a root file system',
  usage: 'FILE|- NAME[:TAG]',
  options: [
    { name: 'message', short: 'm', kind: 'value', value: 'TEXT', doc: 'what its history says' },
    {
      ...{ name: 'change', short: 'c', kind: 'list', value: 'INSTRUCTION' },
      doc: 'instruction of a Dockerfile: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME or WORKDIR; may be repeated',
    },
    {
      ...{ name: 'storage-driver', kind: 'value', value: 'NAME', completes: 'drivers' },
      doc: 'storage driver to unpack into',
    },
    { name: 'quiet', short: 'q', kind: 'flag', doc: 'show no progress' },
    formatOption,
  ],
  arguments: { min: 2, max: 2 },
  completes: 'files',
  examples: [
    { command: 'teu import root.tar mine:1', meaning: 'packed by gzip or zstd, or not' },
    {
      command: `teu export web | teu import -c 'CMD ["sh"]' - web:flat`,
      meaning: 'one layer of all',
    },
  ],
  async run(invocation) {
    const { context, options, args } = invocation;
    const [file = '', reference = ''] = args;
    const request = LoadImageRequest.create({
      ...{ reference, format: ArchiveFormat.ARCHIVE_FORMAT_ROOTFS },
      path: file === '-' ? '' : resolve(context.cwd, file),
      driver: options.value('storage-driver') ?? '',
      changes: [...options.list('change')],
      comment: options.value('message') ?? '',
    });
    await loadWith(invocation, request, ({ id }) => id);
    return 0;
  },
};
