import { BaseEdit } from '@teu/proto/engine';
import { Image, ImageServiceService } from '@teu/proto/image';
import type { Command } from '../../command.js';
import type { Context } from '../../context.js';
import { formatOption, jsonDocument } from '../../output/json.js';
import { reportError } from '../../output/report-error.js';
import { listEdits } from './list-upgrades.js';

async function describe(context: Context, reference: string): Promise<unknown> {
  const { services, abort } = context;
  const { getImage } = ImageServiceService;
  const { image } = await services.image.unary(getImage, { reference }, { signal: abort });
  if (image === undefined) return undefined;
  const edits = await listEdits(context, image.id);
  if (edits.length > 0) {
    await context.stderr.write(
      `note: layers of ${reference} were edited in place; its blobs no longer tell what they hold\n`,
    );
  }
  return {
    ...(Image.toJSON(image) as object),
    baseEdits: edits.map((edit) => BaseEdit.toJSON(edit)),
  };
}

export const imageInspect: Command = {
  name: 'image inspect',
  group: 'images',
  summary: 'Describe images in JSON, with what was edited in place',
  usage: 'IMAGE...',
  options: [formatOption],
  arguments: { min: 1 },
  completes: 'images',
  examples: [{ command: 'teu image inspect debian:12 | jq .[0].baseEdits', meaning: 'its edits' }],
  async run({ context, args }) {
    const found: unknown[] = [];
    let exitCode = 0;
    for (const reference of args) {
      try {
        found.push(await describe(context, reference));
      } catch (error) {
        if (context.abort.aborted) throw error;
        await reportError(context, error, imageInspect);
        exitCode = 1;
      }
    }
    await context.stdout.write(jsonDocument(found));
    return exitCode;
  },
};
