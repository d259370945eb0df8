import {
  ArchiveFormat,
  Image,
  ImageServiceService,
  LoadImageRequest,
  LoadStep,
  type LoadImageResponse,
  type LoadProgress,
  type UploadImageRequest,
} from '@teu/proto/image';
import { resolve } from 'node:path';
import { CliError } from '../cli-error.js';
import type { Command, Invocation } from '../command.js';
import type { Context } from '../context.js';
import { shortId } from '../output/for-people.js';
import { formatOption, jsonDocument, wantsJson } from '../output/json.js';
import { ProgressBar } from '../output/progress-bar.js';

const formats: Readonly<Record<string, ArchiveFormat>> = {
  auto: ArchiveFormat.ARCHIVE_FORMAT_UNSPECIFIED,
  oci: ArchiveFormat.ARCHIVE_FORMAT_OCI_LAYOUT,
  docker: ArchiveFormat.ARCHIVE_FORMAT_DOCKER,
  rootfs: ArchiveFormat.ARCHIVE_FORMAT_ROOTFS,
};

const uploadChunkBytes = 1024 * 1024;

/** Pieces of standard input that fit into one message each. */
async function* uploadRequests(
  context: Context,
  header: LoadImageRequest,
): AsyncGenerator<UploadImageRequest> {
  yield { part: { $case: 'header', value: header } };
  for await (const chunk of context.stdin.read()) {
    for (let begin = 0; begin < chunk.length; begin += uploadChunkBytes) {
      const value = Buffer.from(chunk.subarray(begin, begin + uploadChunkBytes));
      yield { part: { $case: 'data', value } };
    }
  }
}

/** An empty path stands for standard input. */
function answers(context: Context, request: LoadImageRequest): AsyncIterable<LoadImageResponse> {
  const { image } = context.services;
  if (request.path !== '') {
    return image.serverStream(ImageServiceService.loadImage, request, { signal: context.abort });
  }
  if (context.stdin.isTerminal) {
    throw new CliError('there is nothing to load on standard input', {
      hint: 'name a file, or redirect one into it',
    });
  }
  return image.bidi(ImageServiceService.uploadImage, uploadRequests(context, request), {
    signal: context.abort,
  });
}

const stepTitles: Readonly<Record<number, string>> = {
  [LoadStep.LOAD_STEP_INGEST]: 'Reading',
  [LoadStep.LOAD_STEP_UNPACK]: 'Unpacking',
  [LoadStep.LOAD_STEP_EXISTS]: 'Already there',
};

function showProgress(bar: ProgressBar, progress: LoadProgress): Promise<void> {
  const title = `${stepTitles[progress.step] ?? ''} ${shortId(progress.digest)}`.trimEnd();
  return bar.show(title, progress.currentBytes, progress.totalBytes);
}

/** Loads, shows how that goes on, and prints the images, each by what `name` says of it. */
export async function loadWith(
  { context, options }: Invocation,
  request: LoadImageRequest,
  name: (image: Image) => string,
): Promise<void> {
  const bar = new ProgressBar(context.stderr, context.terminal.size()?.columns ?? 80);
  const loaded: Image[] = [];
  try {
    for await (const { event } of answers(context, request)) {
      if (event?.$case === 'progress' && !options.flag('quiet')) {
        await showProgress(bar, event.value);
      }
      if (event?.$case === 'result') loaded.push(...event.value.images);
    }
  } finally {
    await bar.clear();
  }
  const text = wantsJson(options)
    ? jsonDocument(loaded.map((image) => Image.toJSON(image)))
    : loaded.map((image) => `${name(image)}\n`).join('');
  await context.stdout.write(text);
}

const loadedLines = ({ id, references }: Image): string =>
  (references.length > 0 ? references : [`ID ${id}`])
    .map((name) => `Loaded image: ${name}`)
    .join('\n');

export const load: Command = {
  name: 'load',
  group: 'images',
  summary: 'Load images from a file or from standard input',
  usage: '',
  options: [
    {
      ...{ name: 'input', short: 'i', kind: 'value', value: 'FILE' },
      doc: 'OCI image layout, docker archive or root file system; without it, standard input',
    },
    {
      name: 'name',
      kind: 'value',
      value: 'NAME',
      doc: 'name of the image; a root file system needs one',
    },
    {
      ...{ name: 'type', kind: 'value', value: 'TYPE', choices: Object.keys(formats) },
      doc: 'what the file is, if it can’t be told from its content',
    },
    {
      ...{ name: 'storage-driver', kind: 'value', value: 'NAME', completes: 'drivers' },
      doc: 'storage driver to unpack into',
    },
    { name: 'quiet', short: 'q', kind: 'flag', doc: 'show no progress' },
    formatOption,
  ],
  arguments: { min: 0, max: 0 },
  completes: 'files',
  examples: [
    { command: 'teu load -i busybox.tar', meaning: 'an archive with names in it' },
    { command: 'teu load -i debian.tar --name debian:bookworm', meaning: 'a root file system' },
    { command: 'docker save app | teu load', meaning: 'from another engine' },
  ],
  async run(invocation) {
    const { context, options } = invocation;
    const input = options.value('input') ?? '-';
    const request = LoadImageRequest.create({
      path: input === '-' ? '' : resolve(context.cwd, input),
      format: formats[options.value('type') ?? 'auto'] ?? ArchiveFormat.ARCHIVE_FORMAT_UNSPECIFIED,
      reference: options.value('name') ?? '',
      driver: options.value('storage-driver') ?? '',
    });
    await loadWith(invocation, request, loadedLines);
    return 0;
  },
};
