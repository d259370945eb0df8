import { clock } from '@teu/ids';
import { ArchiveServiceService, HistoryEntry, ImageServiceService } from '@teu/proto/image';
import type { Command, Invocation } from '../command.js';
import { shortId, shorten, storedSize, timeAgo } from '../output/for-people.js';
import { formatOption, jsonDocument, wantsJson } from '../output/json.js';
import { formatTable } from '../output/table.js';

const header = ['IMAGE', 'CREATED', 'CREATED BY', 'SIZE', 'COMMENT'];
const createdByLength = 45;

/** What a step has made: of the newest the image itself, else images that end in its layer. */
function madeBy(entry: HistoryEntry, index: number, imageId: string, full: boolean): string {
  if (index === 0) return full ? imageId : shortId(imageId);
  return entry.references[0] ?? '<missing>';
}

function row(entry: HistoryEntry, made: string, { options }: Invocation, now: Date): string[] {
  const forPeople = options.flag('human', true);
  const { createTime, createdBy, sizeBytes, comment } = entry;
  return [
    made,
    forPeople ? timeAgo(createTime, now) : (createTime?.toISOString() ?? ''),
    options.flag('no-trunc') ? createdBy : shorten(createdBy, createdByLength),
    forPeople ? storedSize(sizeBytes) : String(sizeBytes),
    comment,
  ];
}

export const history: Command = {
  name: 'history',
  group: 'images',
  summary: 'Show how an image came to be, newest step first',
  usage: 'IMAGE',
  options: [
    { name: 'human', short: 'H', kind: 'flag', doc: 'sizes and times for people (the default)' },
    { name: 'no-trunc', kind: 'flag', doc: 'whole ids and texts' },
    { name: 'quiet', short: 'q', kind: 'flag', doc: 'ids only' },
    formatOption,
  ],
  arguments: { min: 1, max: 1 },
  completes: 'images',
  examples: [
    { command: 'teu history debian:12', meaning: 'with the size of each layer' },
    { command: 'teu history --human=false --no-trunc app', meaning: 'bytes and exact times' },
  ],
  async run(invocation) {
    const { context, options, args } = invocation;
    const request = { reference: args[0] ?? '' };
    const call = { signal: context.abort };
    const { image: service } = context.services;
    const [{ entries }, { image }] = await Promise.all([
      service.unary(ArchiveServiceService.getImageHistory, request, call),
      service.unary(ImageServiceService.getImage, request, call),
    ]);
    if (wantsJson(options)) {
      await context.stdout.write(jsonDocument(entries.map((entry) => HistoryEntry.toJSON(entry))));
      return 0;
    }
    const full = options.flag('no-trunc');
    const made = entries.map((entry, index) => madeBy(entry, index, image?.id ?? '', full));
    if (options.flag('quiet')) {
      await context.stdout.write(made.map((id) => `${id}\n`).join(''));
      return 0;
    }
    const now = clock.now();
    const rows = entries.map((entry, index) => row(entry, made[index] ?? '', invocation, now));
    await context.stdout.write(formatTable(header, rows));
    return 0;
  },
};
