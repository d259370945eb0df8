import { clock } from '@teu/ids';
import { ContentServiceService, PruneImagesRequest, PruneImagesResponse } from '@teu/proto/image';
import { ask } from '../../ask.js';
import { CliError, UsageError } from '../../cli-error.js';
import type { Command, Invocation } from '../../command.js';
import { parseTime } from '../../options/quantities.js';
import { storedSize } from '../../output/for-people.js';
import { formatOption, jsonDocument, wantsJson } from '../../output/json.js';
import { visible } from '../../output/visible.js';

/** As long as drivers take to delete what there is. */
const TIMEOUT_MS = 30 * 60_000;

function requestOf({ options }: Invocation): PruneImagesRequest {
  const request = PruneImagesRequest.create({
    all: options.flag('all'),
    dryRun: options.flag('dry-run'),
  });
  for (const filter of options.list('filter')) addFilter(request, filter);
  return request;
}

function addFilter(request: PruneImagesRequest, filter: string): void {
  const equals = filter.indexOf('=');
  const [name, value] = [filter.slice(0, Math.max(0, equals)), filter.slice(equals + 1)];
  if (name === 'label' && value !== '') {
    request.labels.push(value);
  } else if (name === 'until' && value !== '') {
    const now = clock.now();
    const ms = Math.max(0, now.getTime() - parseTime(value, '--filter until', now).getTime());
    request.unusedFor = { seconds: Math.floor(ms / 1000), nanos: (ms % 1000) * 1e6 };
  } else {
    throw new UsageError(`unknown filter ${JSON.stringify(filter)}`, 'until=TIME or label=TEXT');
  }
}

/** @throws CliError if the client does not want it */
async function requireConsent({ context, options }: Invocation): Promise<void> {
  if (options.flag('force') || options.flag('dry-run')) return;
  if (!context.stdin.isTerminal) {
    throw new UsageError('without a terminal there is nobody to ask: add --force, or --dry-run');
  }
  const what = options.flag('all')
    ? 'all images without at least one container associated to them'
    : 'all dangling images';
  await context.stderr.write(`WARNING! This will remove ${what}.\n`);
  if (await ask(context, 'Are you sure you want to continue?')) return;
  throw new CliError('nothing was removed', { exitCode: 1 });
}

function linesOf({ untagged, deleted, kept, reclaimedBytes }: PruneImagesResponse): string {
  const gone = [
    ...untagged.map((name) => `untagged: ${name}`),
    ...deleted.map((id) => `deleted: ${id}`),
  ];
  const stays = Object.entries(kept).map(([name, why]) => `kept: ${name}: ${visible(why)}`);
  return [
    ...(gone.length > 0 ? ['Deleted Images:', ...gone, ''] : []),
    ...(stays.length > 0 ? [...stays, ''] : []),
    `Total reclaimed space: ${storedSize(reclaimedBytes)}\n`,
  ].join('\n');
}

export const prune: Command = {
  name: 'image prune',
  group: 'images',
  summary: 'Remove images that nobody uses',
  usage: '',
  options: [
    { name: 'all', short: 'a', kind: 'flag', doc: 'also those that have a name' },
    {
      ...{ name: 'filter', kind: 'list', value: 'FILTER' },
      doc: 'until=24h: not used, made or loaded since; label=TEXT or label=NAME=TEXT: with this label',
    },
    { name: 'force', short: 'f', kind: 'flag', doc: 'do not ask' },
    { name: 'dry-run', kind: 'flag', doc: 'tell what would go, and remove nothing' },
    formatOption,
  ],
  arguments: { min: 0, max: 0 },
  completes: 'nothing',
  examples: [
    { command: 'teu image prune', meaning: 'images without a name' },
    {
      command: 'teu image prune -af --filter until=240h',
      meaning: 'what was not used for 10 days',
    },
  ],
  async run(invocation) {
    const { context, options } = invocation;
    const request = requestOf(invocation);
    await requireConsent(invocation);
    const call = { timeoutMs: TIMEOUT_MS, signal: context.abort };
    const { pruneImages } = ContentServiceService;
    const answer = await context.services.image.unary(pruneImages, request, call);
    await context.stdout.write(
      wantsJson(options) ? jsonDocument(PruneImagesResponse.toJSON(answer)) : linesOf(answer),
    );
    return 0;
  },
};
