import type { Command, Invocation } from '../command.js';
import { formatOption, wantsJson } from '../output/json.js';
import { parsePlatform, pullOne } from '../registry/pull-one.js';
import { listTags } from '../registry/list-tags.js';

async function pullAndTell(invocation: Invocation, reference: string): Promise<void> {
  const { context, options } = invocation;
  const isQuiet = options.flag('quiet');
  const platform = options.value('platform');
  const { image, isUpToDate, digest } = await pullOne(context, {
    reference,
    platform: platform === undefined ? undefined : parsePlatform(platform),
    driver: options.value('storage-driver') ?? '',
    output: isQuiet ? undefined : context.stdout,
    format: wantsJson(options) ? 'json' : 'people',
  });
  const name = reference.includes('@') ? reference : (image?.references[0] ?? reference);
  if (wantsJson(options) && !isQuiet) return;
  if (!isQuiet) {
    await context.stdout.write(`Digest: ${digest}\n`);
    const status = isUpToDate ? 'Image is up to date for' : 'Downloaded newer image for';
    await context.stdout.write(`Status: ${status} ${named(reference, name)}\n`);
  }
  await context.stdout.write(`${named(reference, name)}\n`);
}

/** An image may have many names; the one that was asked for, with its tag. */
function named(reference: string, fallback: string): string {
  if (reference.includes('@')) return reference;
  const hasTag = reference.lastIndexOf(':') > reference.lastIndexOf('/');
  return fallback.startsWith(reference) || hasTag ? reference : `${reference}:latest`;
}

export const pull: Command = {
  name: 'pull',
  group: 'images',
  summary: 'Bring an image from its registry',
  usage: 'NAME[:TAG|@DIGEST]',
  options: [
    { name: 'all-tags', short: 'a', kind: 'flag', doc: 'all tags of the repository' },
    { name: 'quiet', short: 'q', kind: 'flag', doc: 'print the name only' },
    {
      ...{ name: 'platform', kind: 'value', value: 'OS/ARCHITECTURE[/VARIANT]' },
      doc: 'which of the images under the name; this machine’s if not given',
    },
    {
      ...{ name: 'storage-driver', kind: 'value', value: 'NAME', completes: 'drivers' },
      doc: 'storage driver to unpack into',
    },
    formatOption,
  ],
  arguments: { min: 1, max: 1 },
  completes: 'images',
  examples: [
    { command: 'teu pull debian:12', meaning: 'from Docker Hub' },
    { command: 'teu pull registry.example.com:5000/team/app', meaning: 'from another registry' },
    { command: 'teu pull --platform linux/arm64 debian:12', meaning: 'for another machine' },
  ],
  async run(invocation) {
    const { context, options, args } = invocation;
    const [reference = ''] = args;
    if (!options.flag('all-tags')) {
      await pullAndTell(invocation, reference);
      return 0;
    }
    for await (const tag of listTags(context, reference)) {
      await pullAndTell(invocation, `${reference}:${tag}`);
    }
    return 0;
  },
};
