import { ContentServiceService, GetContentUsageResponse } from '@teu/proto/image';
import type { Command } from '../../command.js';
import { storedSize } from '../../output/for-people.js';
import { formatOption, jsonDocument, wantsJson } from '../../output/json.js';
import { formatTable } from '../../output/table.js';

function rowsOf(usage: GetContentUsageResponse): string[][] {
  const parts: [string, number][] = [
    [`images (${usage.imageCount}, of ${usage.blobCount} blobs)`, usage.imageBytes],
    ['garbage', usage.garbageBytes],
    ['broken-off downloads', usage.partialBytes],
    ['quarantine', usage.quarantineBytes],
    ['running operations', usage.stagingBytes],
    ['records', usage.metadataBytes],
    ['total', usage.totalBytes],
  ];
  return parts.map(([what, bytes]) => [what, storedSize(bytes)]);
}

export const imageUsage: Command = {
  name: 'image usage',
  group: 'images',
  summary: 'Show how much disk the store of images uses; for unpacked layers see driver df',
  usage: '',
  options: [formatOption],
  arguments: { min: 0, max: 0 },
  completes: 'nothing',
  examples: [{ command: 'teu image usage', meaning: 'blobs, garbage and records' }],
  async run({ context, options }) {
    const { getContentUsage } = ContentServiceService;
    const call = { timeoutMs: 60_000, signal: context.abort };
    const usage = await context.services.image.unary(getContentUsage, {}, call);
    await context.stdout.write(
      wantsJson(options)
        ? jsonDocument(GetContentUsageResponse.toJSON(usage))
        : formatTable(['WHAT', 'SIZE'], rowsOf(usage)),
    );
    return 0;
  },
};
