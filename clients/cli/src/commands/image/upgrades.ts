import { clock } from '@teu/ids';
import {
  BaseUpgrade,
  baseUpgradeStateToJSON,
  UpgradedContainer,
  type BaseUpgradeState,
} from '@teu/proto/engine';
import type { Command, Invocation } from '../../command.js';
import { shortId, timeAgo } from '../../output/for-people.js';
import { formatOption, jsonDocument, wantsJson } from '../../output/json.js';
import { formatTable } from '../../output/table.js';
import { getUpgrade, listUpgrades } from './list-upgrades.js';
import { containerOutcome, imageOutcome } from './upgrade-steps.js';

const header = ['UPGRADE', 'OLD BASE', 'NEW BASE', 'BEGUN', 'STATE', 'IMAGES', 'CONTAINERS'];

/** "undone" for BASE_UPGRADE_STATE_UNDONE. */
function stateWord(state: BaseUpgradeState): string {
  return baseUpgradeStateToJSON(state).replace('BASE_UPGRADE_STATE_', '').toLowerCase();
}

function row(upgrade: BaseUpgrade, now: Date): string[] {
  const { doneCount, undoneCount, scheduledCount, failedCount } = upgrade;
  const counts = [
    [doneCount, 'on the new base'],
    [undoneCount, 'undone'],
    [scheduledCount, 'at next start'],
    [failedCount, 'failed'],
  ] as const;
  const told = counts.filter(([count]) => count > 0);
  return [
    shortId(upgrade.id),
    upgrade.oldReference,
    upgrade.newReference,
    timeAgo(upgrade.beginTime, now),
    stateWord(upgrade.state),
    String(upgrade.imageCount),
    told.map(([count, word]) => `${String(count)} ${word}`).join(', ') || '-',
  ];
}

async function describe({ context, options, args }: Invocation): Promise<void> {
  const { upgrade, containers } = await getUpgrade(context, args[0] ?? '');
  if (upgrade === undefined) return;
  if (wantsJson(options)) {
    const parts = containers.map((container) => UpgradedContainer.toJSON(container));
    const value = { ...(BaseUpgrade.toJSON(upgrade) as object), containers: parts };
    await context.stdout.write(jsonDocument(value));
    return;
  }
  await context.stdout.write(formatTable(header, [row(upgrade, clock.now())]));
  for (const image of upgrade.images) {
    await context.stdout.write(`image ${imageOutcome(image, false)}\n`);
  }
  for (const container of containers) {
    await context.stdout.write(`container ${container.name}: ${containerOutcome(container)}\n`);
  }
}

export const imageUpgrades: Command = {
  name: 'image upgrades',
  group: 'images',
  summary: 'List upgrades of bases, or tell what became of all that one concerned',
  usage: '[UPGRADE]',
  options: [{ name: 'quiet', short: 'q', kind: 'flag', doc: 'ids only' }, formatOption],
  arguments: { min: 0, max: 1 },
  completes: 'upgrades',
  examples: [{ command: 'teu image upgrades 3f2a', meaning: 'each image and container of one' }],
  async run(invocation) {
    const { context, options, args } = invocation;
    if (args.length > 0) {
      await describe(invocation);
      return 0;
    }
    const upgrades = await listUpgrades(context);
    if (wantsJson(options)) {
      await context.stdout.write(jsonDocument(upgrades.map((item) => BaseUpgrade.toJSON(item))));
    } else if (options.flag('quiet')) {
      await context.stdout.write(upgrades.map(({ id }) => `${shortId(id)}\n`).join(''));
    } else {
      const now = clock.now();
      await context.stdout.write(
        formatTable(
          header,
          upgrades.map((item) => row(item, now)),
        ),
      );
    }
    return 0;
  },
};
