import { clock } from '@teu/ids';
import { Image } from '@teu/proto/image';
import type { Command } from '../command.js';
import { listImages } from '../list-pages.js';
import { shortId, storedSize, timeAgo } from '../output/for-people.js';
import { formatOption, jsonDocument, wantsJson } from '../output/json.js';
import { formatTable } from '../output/table.js';

const header = ['REPOSITORY', 'TAG', 'IMAGE ID', 'CREATED', 'SIZE'];

// A colon after the last slash separates the tag; one before it belongs to a port.
function splitReference(reference: string): [repository: string, tag: string] {
  const colon = reference.lastIndexOf(':');
  return colon > reference.lastIndexOf('/')
    ? [reference.slice(0, colon), reference.slice(colon + 1)]
    : [reference, '<none>'];
}

function rows(image: Image, full: boolean, now: Date): string[][] {
  const names =
    image.references.length === 0
      ? [['<none>', '<none>'] as const]
      : image.references.map(splitReference);
  return names.map(([repository, tag]) => [
    repository,
    tag,
    full ? image.id : shortId(image.id),
    timeAgo(image.createTime, now),
    storedSize(image.sizeBytes),
  ]);
}

export const images: Command = {
  name: 'images',
  group: 'images',
  summary: 'List images',
  usage: '[NAME]',
  options: [
    { name: 'quiet', short: 'q', kind: 'flag', doc: 'ids only' },
    { name: 'no-trunc', kind: 'flag', doc: 'whole ids' },
    formatOption,
  ],
  arguments: { min: 0, max: 1 },
  completes: 'images',
  examples: [{ command: 'teu images --format json | jq -r .[].id', meaning: 'for programs' }],
  async run({ context, options, args }) {
    const found = await listImages(context, args[0]);
    const full = options.flag('no-trunc');
    const now = clock.now();
    if (wantsJson(options)) {
      await context.stdout.write(jsonDocument(found.map((image) => Image.toJSON(image))));
    } else if (options.flag('quiet')) {
      const ids = found.map(({ id }) => `${full ? id : shortId(id)}\n`);
      await context.stdout.write(ids.join(''));
    } else {
      const lines = found.flatMap((image) => rows(image, full, now));
      await context.stdout.write(formatTable(header, lines));
    }
    return 0;
  },
};
