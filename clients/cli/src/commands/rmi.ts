import { ImageServiceService, RemoveImageResponse } from '@teu/proto/image';
import type { Command } from '../command.js';
import { forEachArgument } from '../for-each.js';
import { formatOption, wantsJson } from '../output/json.js';

export const rmi: Command = {
  name: 'rmi',
  group: 'images',
  summary: 'Remove names of images, and images with their last name',
  usage: 'IMAGE...',
  options: [
    { name: 'force', short: 'f', kind: 'flag', doc: 'by id also an image with several names' },
    formatOption,
  ],
  arguments: { min: 1 },
  completes: 'images',
  examples: [{ command: 'teu rmi busybox:latest', meaning: 'if no container stands on it' }],
  run(invocation) {
    const { context, options } = invocation;
    return forEachArgument(invocation, rmi, async (reference) => {
      const removed = await context.services.image.unary(
        ImageServiceService.removeImage,
        { reference, force: options.flag('force') },
        { timeoutMs: 60_000, signal: context.abort },
      );
      if (wantsJson(options)) return JSON.stringify(RemoveImageResponse.toJSON(removed));
      return [
        ...removed.untagged.map((name) => `Untagged: ${name}`),
        ...removed.deleted.map((id) => `Deleted: ${id}`),
      ].join('\n');
    });
  },
};
