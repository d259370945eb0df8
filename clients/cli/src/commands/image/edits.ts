import { clock } from '@teu/ids';
import { BaseEdit } from '@teu/proto/engine';
import { ImageServiceService } from '@teu/proto/image';
import type { Command } from '../../command.js';
import type { Context } from '../../context.js';
import { shortId, timeAgo } from '../../output/for-people.js';
import { formatOption, jsonDocument, wantsJson } from '../../output/json.js';
import { formatTable } from '../../output/table.js';
import { listEdits } from './list-upgrades.js';

const header = ['EDIT', 'IMAGE', 'DRIVER', 'EDITED', 'BY', 'FILES', 'CONTAINERS', 'REASON'];

function row(edit: BaseEdit, now: Date): string[] {
  const by = edit.userId === undefined ? '-' : `uid ${String(edit.userId)}`;
  return [
    shortId(edit.id),
    edit.reference,
    edit.driver,
    timeAgo(edit.editTime, now),
    edit.processId === undefined ? by : `${by}, pid ${String(edit.processId)}`,
    String(edit.changeCount),
    String(edit.containerCount),
    edit.reason,
  ];
}

async function idOf({ services, abort }: Context, reference: string): Promise<string> {
  const { getImage } = ImageServiceService;
  return (await services.image.unary(getImage, { reference }, { signal: abort })).image?.id ?? '';
}

export const imageEdits: Command = {
  name: 'image edits',
  group: 'images',
  summary: 'List what was changed in bases in place, by whom and why',
  usage: '[IMAGE]',
  options: [formatOption],
  arguments: { min: 0, max: 1 },
  completes: 'images',
  examples: [{ command: 'teu image edits debian:12', meaning: 'edits of layers that it has' }],
  async run({ context, options, args }) {
    const [reference] = args;
    const imageId = reference === undefined ? '' : await idOf(context, reference);
    const edits = await listEdits(context, imageId);
    if (wantsJson(options)) {
      await context.stdout.write(jsonDocument(edits.map((edit) => BaseEdit.toJSON(edit))));
    } else {
      const now = clock.now();
      await context.stdout.write(
        formatTable(
          header,
          edits.map((edit) => row(edit, now)),
        ),
      );
    }
    return 0;
  },
};
