import { DistributionServiceService, RemoteDescriptor } from '@teu/proto/image';
import type { Command } from '../../command.js';
import { storedSize } from '../../output/for-people.js';
import { formatOption, jsonDocument, wantsJson } from '../../output/json.js';
import { formatTable } from '../../output/table.js';
import { visible } from '../../output/visible.js';
import { credentialsFor } from '../../registry/logins.js';

export const imageReferrers: Command = {
  name: 'image referrers',
  group: 'images',
  summary: 'List what refers to an image at its registry: signatures, bills of materials',
  usage: 'NAME[:TAG|@DIGEST]',
  options: [
    {
      ...{ name: 'artifact-type', kind: 'value', value: 'TYPE' },
      doc: 'only those of this type',
    },
    formatOption,
  ],
  arguments: { min: 1, max: 1 },
  completes: 'images',
  examples: [{ command: 'teu image referrers registry.example.com/app:1', meaning: 'all of them' }],
  async run({ context, options, args }) {
    const [reference = ''] = args;
    const { referrers } = await context.services.image.unary(
      DistributionServiceService.listReferrers,
      {
        reference,
        artifactType: options.value('artifact-type') ?? '',
        credentials: await credentialsFor(context, reference),
      },
      { signal: context.abort },
    );
    if (wantsJson(options)) {
      const list = referrers.map((item) => RemoteDescriptor.toJSON(item));
      await context.stdout.write(jsonDocument(list));
      return 0;
    }
    const rows = referrers.map(({ digest, artifactType, mediaType, sizeBytes }) => [
      digest,
      visible(artifactType === '' ? mediaType : artifactType),
      storedSize(sizeBytes),
    ]);
    await context.stdout.write(formatTable(['DIGEST', 'TYPE', 'SIZE'], rows));
    return 0;
  },
};
