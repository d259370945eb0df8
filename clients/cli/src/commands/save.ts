import { ArchiveFormat, ArchiveServiceService, type SaveImagesRequest } from '@teu/proto/image';
import { resolve } from 'node:path';
import type { Command, Invocation } from '../command.js';
import { formatOption } from '../output/json.js';
import { followFile, requireBinaryOutput } from '../output/tar-output.js';

const types: Readonly<Record<string, ArchiveFormat>> = {
  docker: ArchiveFormat.ARCHIVE_FORMAT_DOCKER,
  oci: ArchiveFormat.ARCHIVE_FORMAT_OCI_LAYOUT,
};

const typeOf = ({ options }: Invocation): ArchiveFormat =>
  types[options.value('type') ?? 'docker'] ?? ArchiveFormat.ARCHIVE_FORMAT_DOCKER;

/** Has the service write the file. */
async function toFile(invocation: Invocation, output: string): Promise<void> {
  const { context, args } = invocation;
  const request: SaveImagesRequest = {
    path: resolve(context.cwd, output),
    references: [...args],
    format: typeOf(invocation),
  };
  const { saveImages } = ArchiveServiceService;
  const call = { signal: context.abort };
  const news = context.services.image.serverStream(saveImages, request, call);
  await followFile(invocation, 'Saving', news);
}

/** Writes what the service sends. */
async function toStdout(invocation: Invocation): Promise<void> {
  requireBinaryOutput(invocation);
  const { context, args } = invocation;
  const request = { references: [...args], format: typeOf(invocation) };
  const { downloadImages } = ArchiveServiceService;
  const call = { signal: context.abort };
  const parts = context.services.image.serverStream(downloadImages, request, call);
  for await (const { data } of parts) await context.stdout.write(data);
}

export const save: Command = {
  name: 'save',
  group: 'images',
  summary: 'Save images to a file or to standard output',
  usage: 'IMAGE...',
  options: [
    {
      ...{ name: 'output', short: 'o', kind: 'value', value: 'FILE' },
      doc: 'file to write; without it, standard output',
    },
    {
      ...{ name: 'type', kind: 'value', value: 'TYPE', choices: Object.keys(types) },
      doc: 'docker for an archive that docker, podman and OCI tools read (the default), oci for an OCI image layout',
    },
    { name: 'quiet', short: 'q', kind: 'flag', doc: 'show no progress' },
    formatOption,
  ],
  arguments: { min: 1 },
  completes: 'images',
  examples: [
    { command: 'teu save -o app.tar app:1 app:2', meaning: 'two images, shared layers once' },
    { command: 'teu save debian | docker load', meaning: 'all tags of debian, to another engine' },
    { command: 'teu save --type oci -o app.tar app:1', meaning: 'for OCI tools alone' },
  ],
  async run(invocation) {
    const output = invocation.options.value('output') ?? '-';
    await (output === '-' ? toStdout(invocation) : toFile(invocation, output));
    return 0;
  },
};
