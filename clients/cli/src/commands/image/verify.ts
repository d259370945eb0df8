import {
  ContentServiceService,
  DamageAction,
  DamageKind,
  VerifyImagesRequest,
  VerifyImagesResponse,
  type Damage,
  type VerifyProgress,
  type VerifySummary,
} from '@teu/proto/image';
import { CliError } from '../../cli-error.js';
import type { Command, Invocation } from '../../command.js';
import { shortId, storedSize } from '../../output/for-people.js';
import { formatOption, jsonLine, wantsJson } from '../../output/json.js';
import { ProgressBar } from '../../output/progress-bar.js';
import { visible } from '../../output/visible.js';
import { counted } from './plan-lines.js';

const COLUMNS = 80;

const kinds: Readonly<Record<number, string>> = {
  [DamageKind.DAMAGE_KIND_BLOB_MISSING]: 'missing blob',
  [DamageKind.DAMAGE_KIND_BLOB_CHANGED]: 'damaged blob',
  [DamageKind.DAMAGE_KIND_LAYER_MISSING]: 'missing layer',
  [DamageKind.DAMAGE_KIND_LAYER_CHANGED]: 'damaged layer',
  [DamageKind.DAMAGE_KIND_STRAY]: 'stray file',
};

const actions: Readonly<Record<number, string>> = {
  [DamageAction.DAMAGE_ACTION_REBUILT]: 'made anew',
  [DamageAction.DAMAGE_ACTION_REPULLED]: 'pulled again',
  [DamageAction.DAMAGE_ACTION_QUARANTINED]: 'in quarantine',
  [DamageAction.DAMAGE_ACTION_REMOVED]: 'removed',
  [DamageAction.DAMAGE_ACTION_FAILED]: 'nothing could be done',
};

function damageLine({ kind, digest, chainId, driver, images, detail, action }: Damage): string {
  const where = driver === '' ? '' : ` in ${driver}`;
  const id = chainId === '' ? digest : chainId;
  const whose = images.length === 0 ? '' : ` of ${images.join(', ')}`;
  const became = actions[action];
  const done = became === undefined ? '' : `; ${became}`;
  const what = `${kinds[kind] ?? 'damage'} ${shortId(id)}`.trimEnd();
  return `${visible(`${what}${where}${whose}: ${detail}${done}`)}\n`;
}

function summaryLine(summary: VerifySummary): string {
  const { imageCount, blobCount, blobBytes, layerCount, damageCount, remainingCount } = summary;
  const seen = `${counted(imageCount, 'image')}, ${counted(blobCount, 'blob')} (${storedSize(blobBytes)}), ${counted(layerCount, 'layer')}`;
  const skipped = summary.skippedDrivers.map(
    (driver) => `layers in ${driver} were not compared: it cannot, or does not answer\n`,
  );
  const found =
    damageCount === 0
      ? 'nothing is wrong'
      : `${damageCount} damaged, of which ${remainingCount} ${remainingCount === 1 ? 'remains' : 'remain'}`;
  return `${skipped.join('')}${seen}: ${found}\n`;
}

function showProgress(bar: ProgressBar, progress: VerifyProgress): Promise<void> {
  const { currentBytes, totalBytes, currentLayers, totalLayers } = progress;
  if (totalLayers === 0) return bar.show('Reading blobs', currentBytes, totalBytes);
  return bar.show(`Comparing layers ${currentLayers}/${totalLayers}`, currentBytes, totalBytes);
}

async function printAnswers({ context, options, args }: Invocation): Promise<VerifySummary> {
  const request = VerifyImagesRequest.create({
    references: [...args],
    readData: options.flag('read-data'),
    repair: options.flag('repair'),
    drivers: [...options.list('storage-driver')],
  });
  const json = wantsJson(options);
  const bar = new ProgressBar(context.stderr, context.terminal.size()?.columns ?? COLUMNS);
  const { verifyImages } = ContentServiceService;
  const answers = context.services.image.serverStream(verifyImages, request, {
    signal: context.abort,
  });
  let end: VerifySummary | undefined;
  try {
    for await (const answer of answers) {
      const { event } = answer;
      if (json) await context.stdout.write(jsonLine(VerifyImagesResponse.toJSON(answer)));
      else if (event?.$case === 'progress') await showProgress(bar, event.value);
      else await bar.clear();
      if (event?.$case === 'damage' && !json) await context.stdout.write(damageLine(event.value));
      if (event?.$case === 'summary') end = event.value;
    }
  } finally {
    await bar.clear();
  }
  if (end === undefined) throw new CliError('the image service ended without a summary');
  if (!json) await context.stdout.write(summaryLine(end));
  return end;
}

export const imageVerify: Command = {
  name: 'image verify',
  group: 'images',
  summary: 'Read blobs again and compare unpacked layers with what was unpacked',
  usage: '[IMAGE...]',
  options: [
    {
      ...{ name: 'read-data', kind: 'flag' },
      doc: 'read every byte of layers; without it their files are told by size, times and other attributes',
    },
    {
      ...{ name: 'repair', kind: 'flag' },
      doc: 'make anew what is damaged, or put it into quarantine',
    },
    {
      ...{ name: 'storage-driver', kind: 'list', value: 'NAME', completes: 'drivers' },
      doc: 'storage drivers to look into; all if absent',
    },
    formatOption,
  ],
  arguments: { min: 0 },
  completes: 'images',
  failureCode: 125,
  argumentsCode: 125,
  examples: [
    { command: 'teu image verify', meaning: 'ends with 0, or with 1 if damage remains' },
    { command: 'teu image verify --read-data --repair', meaning: 'every byte, and mends' },
  ],
  async run(invocation) {
    const { remainingCount } = await printAnswers(invocation);
    return remainingCount > 0 ? 1 : 0;
  },
};
