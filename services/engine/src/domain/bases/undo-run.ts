import { isTeuError, teuError } from '@teu/errors';
import { failpoint } from '@teu/failpoint';
import {
  BaseUpgradeState,
  RebaseState,
  type BaseUpgrade,
  type UpgradedContainer,
  type UpgradedImage,
} from '@teu/proto/engine';
import { BaseAction } from '@teu/proto/event';
import type { EngineParts } from '../engine-parts.js';
import { recordRebaseFailed } from './rebase-transitions.js';
import { destinedImage, findImage } from './standing.js';
import { takeOver } from './upgrade-containers.js';
import { moveNames } from './upgrade-images.js';
import type { UpgradeWork } from './upgrade-work.js';

const { BASE_UPGRADE_STATE_UNDOING, BASE_UPGRADE_STATE_UNDONE } = BaseUpgradeState;
const { BASE_UPGRADE_STATE_COMPLETED } = BaseUpgradeState;
const PAGE_SIZE = 500;

/**
 * Puts on record that an upgrade is being undone.
 * @throws INVALID_STATE if it is undone; IMAGE_NOT_FOUND naming the images that are needed and gone
 */
export async function beginUndo(parts: EngineParts, upgrade: BaseUpgrade): Promise<BaseUpgrade> {
  if (upgrade.state === BASE_UPGRADE_STATE_UNDONE) {
    throw teuError('INVALID_STATE', `base upgrade ${upgrade.id} is undone already`, {
      metadata: { upgrade: upgrade.id },
    });
  }
  await requireImages(parts, upgrade);
  const undoing = { ...upgrade, state: BASE_UPGRADE_STATE_UNDOING, endTime: undefined };
  parts.store.transaction(() => parts.upgrades.update(undoing));
  failpoint('engine.undo.after-begin');
  return undoing;
}

/** Carries out an undo that is on record. Each step may be repeated, so a restart begins with the first again. */
export async function runUndo(work: UpgradeWork, begun: BaseUpgrade): Promise<void> {
  const { parts, report } = work;
  const images: UpgradedImage[] = [];
  for (const image of begun.images) {
    if (work.isStopped()) return;
    images.push(await takeNamesBack(parts, image));
  }
  failpoint('engine.undo.after-names');
  for (const image of images) report({ part: { $case: 'image', value: image } });
  const isWhole = await takeContainersBack(work, begun);
  if (work.isStopped()) return;
  failpoint('engine.undo.before-end');
  // What is left over can be undone once more.
  const state = isWhole ? BASE_UPGRADE_STATE_UNDONE : BASE_UPGRADE_STATE_COMPLETED;
  const kept = isWhole ? { ...begun, images } : begun;
  work.end(kept, state, BaseAction.BASE_ACTION_UPGRADE_UNDONE);
}

async function takeNamesBack(parts: EngineParts, image: UpgradedImage): Promise<UpgradedImage> {
  const { oldImageId: to, newImageId: from, movedReferences: names } = image;
  const { moved: movedReferences, error } = await moveNames(parts, { from, to, names });
  return { ...image, movedReferences, error };
}

/** @returns whether none is left where the upgrade has put it */
async function takeContainersBack(work: UpgradeWork, upgrade: BaseUpgrade): Promise<boolean> {
  let isWhole = true;
  for (const row of rowsOf(work.parts, upgrade.id)) {
    if (work.isStopped()) return false;
    const value = await takeBack(work, upgrade, row);
    if (value === undefined) continue;
    work.report({ part: { $case: 'container', value } });
    if (value.state === RebaseState.REBASE_STATE_FAILED) isWhole = false;
  }
  return isWhole;
}

async function takeBack(
  work: UpgradeWork,
  upgrade: BaseUpgrade,
  row: UpgradedContainer,
): Promise<UpgradedContainer | undefined> {
  const { parts } = work;
  const entry = parts.registry.byId(row.id);
  if (entry === undefined) return undefined;
  const to = { upgradeId: upgrade.id, imageId: row.oldImageId, isUndo: true };
  const isMoved = (): boolean => {
    const { pendingRebase: pending, baseUpgradeId } = entry.container;
    if (pending === undefined) return baseUpgradeId === upgrade.id;
    const isUndone = pending.upgradeId === upgrade.id && pending.isUndo && !pending.isBegun;
    return pending.upgradeId === upgrade.id && !isUndone;
  };
  const taken = await takeOver(work, entry, to, isMoved);
  if (taken !== undefined || entry.removed) return taken;
  if (destinedImage(entry.container) === row.oldImageId) return undefined;
  const later = entry.container.pendingRebase?.upgradeId ?? entry.container.baseUpgradeId;
  const detail = `base upgrade ${later} has moved it on since; undo that one first`;
  recordRebaseFailed(parts, row.id, to, detail);
  return parts.upgrades.findContainer(upgrade.id, row.id);
}

/** All that the undo needs must be there before anything is touched. */
async function requireImages(parts: EngineParts, upgrade: BaseUpgrade): Promise<void> {
  const named = upgrade.images.filter(({ movedReferences }) => movedReferences.length > 0);
  const needed = new Set(named.map(({ oldImageId }) => oldImageId));
  for (const { id, oldImageId } of rowsOf(parts, upgrade.id)) {
    const container = parts.registry.byId(id)?.container;
    if (container?.baseUpgradeId === upgrade.id) needed.add(oldImageId);
  }
  const gone: string[] = [];
  for (const id of needed) {
    const problem: unknown = await findImage(parts.peers, id).catch((error: unknown) => error);
    if (isTeuError(problem, 'IMAGE_NOT_FOUND')) gone.push(id);
    else if (problem instanceof Error) throw problem;
  }
  if (gone.length === 0) return;
  const text = `base upgrade ${upgrade.id} can not be undone: of what it needs these images were removed: ${gone.join(', ')}`;
  throw teuError('IMAGE_NOT_FOUND', text, {
    metadata: { upgrade: upgrade.id, images: gone.slice(0, 10).join(' ') },
  });
}

function* rowsOf(
  { upgrades }: Pick<EngineParts, 'upgrades'>,
  upgradeId: string,
): Generator<UpgradedContainer> {
  let from: number | undefined = 0;
  while (from !== undefined) {
    const page: ReturnType<typeof upgrades.containers> = upgrades.containers(upgradeId, {
      size: PAGE_SIZE,
      from,
    });
    yield* page.items;
    from = page.next;
  }
}
