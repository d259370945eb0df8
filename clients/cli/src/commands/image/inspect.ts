import { BaseEdit } from '@teu/proto/engine';
import {
  ArchiveServiceService,
  Image,
  ImageServiceService,
  type GetImageDocumentsResponse,
} from '@teu/proto/image';
import { UsageError } from '../../cli-error.js';
import type { Command } from '../../command.js';
import type { Context } from '../../context.js';
import { formatOption, jsonDocument } from '../../output/json.js';
import { reportError } from '../../output/report-error.js';
import { listEdits } from './list-upgrades.js';

const documentNames = ['manifest', 'config'] as const;

function documentsOf(context: Context, reference: string): Promise<GetImageDocumentsResponse> {
  const { getImageDocuments } = ArchiveServiceService;
  const { services, abort } = context;
  return services.image.unary(getImageDocuments, { reference }, { signal: abort });
}

/** Repositories that have the image, each with the digest that it has there. */
function repositoryDigests({ references, manifestDigest }: Image): string[] {
  const repositories = references.map((name) => name.slice(0, name.lastIndexOf(':')));
  return [...new Set(repositories)].map((repository) => `${repository}@${manifestDigest}`);
}

async function describe(context: Context, reference: string): Promise<unknown> {
  const { services, abort } = context;
  const { getImage } = ImageServiceService;
  const { image } = await services.image.unary(getImage, { reference }, { signal: abort });
  if (image === undefined) return undefined;
  const documents = await documentsOf(context, image.id);
  const edits = await listEdits(context, image.id);
  if (edits.length > 0) {
    await context.stderr.write(
      `note: layers of ${reference} were edited in place; its blobs no longer tell what they hold\n`,
    );
  }
  return {
    ...(Image.toJSON(image) as object),
    repoTags: image.references,
    repoDigests: repositoryDigests(image),
    manifestMediaType: documents.manifestMediaType,
    manifest: JSON.parse(documents.manifest.toString()) as unknown,
    configDocument: JSON.parse(documents.config.toString()) as unknown,
    baseEdits: edits.map((edit) => BaseEdit.toJSON(edit)),
  };
}

async function describeAll(context: Context, references: readonly string[]): Promise<number> {
  const found: unknown[] = [];
  let exitCode = 0;
  for (const reference of references) {
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
}

export const imageInspect: Command = {
  name: 'image inspect',
  group: 'images',
  summary: 'Describe images in JSON: names, digests, layers, documents, what was edited in place',
  usage: 'IMAGE...',
  options: [
    {
      ...{ name: 'raw', kind: 'value', value: 'DOCUMENT', choices: documentNames },
      doc: 'print a document of one image instead, byte by byte as it came',
    },
    formatOption,
  ],
  arguments: { min: 1 },
  completes: 'images',
  examples: [
    { command: 'teu image inspect debian:12 | jq .[0].repoDigests', meaning: 'its digests' },
    { command: 'teu image inspect debian:12 | jq .[0].baseEdits', meaning: 'its edits' },
    { command: 'teu image inspect --raw manifest debian:12 | sha256sum', meaning: 'as it came' },
  ],
  async run({ context, options, args }) {
    const raw = documentNames.find((name) => name === options.value('raw'));
    if (raw === undefined) return describeAll(context, args);
    if (args.length > 1) throw new UsageError('--raw is for one image');
    await context.stdout.write((await documentsOf(context, args[0] ?? ''))[raw]);
    return 0;
  },
};
