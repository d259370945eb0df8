import { ImageServiceService } from '@teu/proto/image';
import type { Command } from '../command.js';

export const tag: Command = {
  name: 'tag',
  group: 'images',
  summary: 'Give an image another name',
  usage: 'IMAGE NAME',
  options: [],
  arguments: { min: 2, max: 2 },
  completes: 'images',
  examples: [{ command: 'teu tag busybox:latest tools:1', meaning: 'both names work' }],
  async run({ context, args }) {
    await context.services.image.unary(
      ImageServiceService.tagImage,
      { source: args[0] ?? '', target: args[1] ?? '' },
      { signal: context.abort },
    );
    return 0;
  },
};
