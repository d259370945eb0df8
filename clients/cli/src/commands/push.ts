import { DistributionServiceService, PushImageResponse, type PushResult } from '@teu/proto/image';
import { CliError } from '../cli-error.js';
import type { Command, Invocation } from '../command.js';
import { listImages } from '../list-pages.js';
import { formatOption, jsonLine, wantsJson } from '../output/json.js';
import { pushWords, TransferDisplay } from '../output/transfer-display.js';
import { credentialsFor } from '../registry/logins.js';

async function pushOne({ context, options }: Invocation, reference: string): Promise<PushResult> {
  const isQuiet = options.flag('quiet');
  const answers = context.services.image.serverStream(
    DistributionServiceService.pushImage,
    { reference, credentials: await credentialsFor(context, reference) },
    { signal: context.abort },
  );
  const display = new TransferDisplay(context.stdout, context, pushWords);
  for await (const answer of answers) {
    const { event } = answer;
    if (!isQuiet) {
      if (wantsJson(options))
        await context.stdout.write(jsonLine(PushImageResponse.toJSON(answer)));
      else if (event?.$case === 'progress') await display.show(event.value);
    }
    if (event?.$case === 'result') return event.value;
  }
  throw new CliError('the push ended without a result');
}

async function pushAndTell(invocation: Invocation, reference: string): Promise<void> {
  const { context, options } = invocation;
  const { manifestDigest, manifestBytes } = await pushOne(invocation, reference);
  if (options.flag('quiet')) {
    await context.stdout.write(`${reference}\n`);
  } else if (!wantsJson(options)) {
    const tag = reference.slice(reference.lastIndexOf(':') + 1);
    await context.stdout.write(`${tag}: digest: ${manifestDigest} size: ${manifestBytes}\n`);
  }
}

export const push: Command = {
  name: 'push',
  group: 'images',
  summary: 'Send an image to the registry that its name says',
  usage: 'NAME[:TAG]',
  options: [
    { name: 'all-tags', short: 'a', kind: 'flag', doc: 'all tags of the repository that are here' },
    { name: 'quiet', short: 'q', kind: 'flag', doc: 'print the name only' },
    formatOption,
  ],
  arguments: { min: 1, max: 1 },
  completes: 'images',
  examples: [
    { command: 'teu push registry.example.com/team/app:1', meaning: 'under the name it has here' },
  ],
  async run(invocation) {
    const { context, options, args } = invocation;
    const [name = ''] = args;
    const hasTag = name.lastIndexOf(':') > name.lastIndexOf('/');
    if (!options.flag('all-tags')) {
      await pushAndTell(invocation, hasTag ? name : `${name}:latest`);
      return 0;
    }
    const images = await listImages(context, name);
    const names = images.flatMap(({ references }) => references);
    const own = names.filter((reference) => reference.startsWith(`${name}:`)).sort();
    if (own.length === 0) throw new CliError(`no image here has a name in ${name}`);
    for (const reference of own) await pushAndTell(invocation, reference);
    return 0;
  },
};
