import type { Command } from '../../command.js';
import { formatOption, jsonLine, wantsJson } from '../../output/json.js';
import { listTags } from '../../registry/list-tags.js';

export const imageTags: Command = {
  name: 'image tags',
  group: 'images',
  summary: 'List the tags of a repository at its registry',
  usage: 'REPOSITORY',
  options: [formatOption],
  arguments: { min: 1, max: 1 },
  completes: 'images',
  examples: [{ command: 'teu image tags debian', meaning: 'at Docker Hub' }],
  async run({ context, options, args }) {
    for await (const tag of listTags(context, args[0] ?? '')) {
      await context.stdout.write(wantsJson(options) ? jsonLine({ tag }) : `${tag}\n`);
    }
    return 0;
  },
};
