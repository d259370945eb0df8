import { failpoint } from '@teu/failpoint';
import { clock, randomId } from '@teu/ids';
import { BaseUpgrade, BaseUpgradeState, type UpgradedImage } from '@teu/proto/engine';
import { BaseAction } from '@teu/proto/event';
import type { Image } from '@teu/proto/image';
import type { ContainerEntry } from '../container-entry.js';
import type { EngineParts } from '../engine-parts.js';
import { announceUpgrade } from './base-events.js';
import { destinedImage, imagesToRebuild, listImages, topLayer, type Bases } from './standing.js';
import { takeOver } from './upgrade-containers.js';
import { imageToUpgrade, moveNames, rebuildImage } from './upgrade-images.js';
import type { UpgradeWork } from './upgrade-work.js';

/** A second look finds containers whose run was under way while names moved. */
const LOOKS = 2;

/** What an upgrade is about. */
export interface UpgradeOrder {
  bases: Bases;
  /** The bases as they were asked for. */
  oldReference: string;
  newReference: string;
}

/**
 * Puts an upgrade on record.
 * @returns undefined if nothing stands on the old base that does not stand on the new one
 */
export async function beginUpgrade(
  parts: EngineParts,
  { bases, oldReference, newReference }: UpgradeOrder,
): Promise<BaseUpgrade | undefined> {
  const used = new Set(parts.registry.all().map(({ container }) => destinedImage(container)));
  const images = imagesToRebuild(await listImages(parts.peers), bases, (id) => used.has(id));
  if (images.length === 0 && !used.has(bases.old.id)) return undefined;
  const upgrade = BaseUpgrade.create({
    ...{ id: randomId(), oldReference, newReference },
    state: BaseUpgradeState.BASE_UPGRADE_STATE_UPGRADING,
    oldImageId: bases.old.id,
    newImageId: bases.new.id,
    beginTime: clock.now(),
    images: images.map((image: Image) => imageToUpgrade(image)),
  });
  parts.store.transaction(() => {
    parts.upgrades.insert(upgrade);
    announceUpgrade(parts, BaseAction.BASE_ACTION_UPGRADE_BEGUN, upgrade);
  });
  failpoint('engine.upgrade.after-begin');
  return upgrade;
}

/** Carries out an upgrade that is on record. Each step may be repeated, so a restart begins with the first again. */
export async function runUpgrade(work: UpgradeWork, begun: BaseUpgrade): Promise<void> {
  const { parts, report } = work;
  const rebuilt: UpgradedImage[] = [];
  for (const image of begun.images) {
    if (work.isStopped()) return;
    rebuilt.push(await rebuildImage(parts, image, begun));
  }
  const imageCount = rebuilt.filter(({ newImageId }) => newImageId !== '').length;
  const upgrade = { ...begun, images: rebuilt, imageCount };
  parts.store.transaction(() => parts.upgrades.update(upgrade));
  await prepareOnDrivers(work, upgrade);
  upgrade.images = await takeNamesAlong(work, rebuilt);
  parts.store.transaction(() => parts.upgrades.update(upgrade));
  failpoint('engine.upgrade.after-names');
  for (const image of upgrade.images) report({ part: { $case: 'image', value: image } });
  await takeContainersAlong(work, upgrade);
  if (work.isStopped()) return;
  failpoint('engine.upgrade.before-end');
  const action = BaseAction.BASE_ACTION_UPGRADE_COMPLETED;
  work.end(upgrade, BaseUpgradeState.BASE_UPGRADE_STATE_COMPLETED, action);
  failpoint('engine.upgrade.after-end');
}

/** Old image id to new one, of all that could be made. */
function destinations({ oldImageId, newImageId, images }: BaseUpgrade): Map<string, string> {
  const made = images.filter((image) => image.newImageId !== '');
  return new Map([
    [oldImageId, newImageId],
    ...made.map((image) => [image.oldImageId, image.newImageId] as const),
  ]);
}

/** Unpacks before any name moves, so that nobody who uses the name has to wait for it. */
async function prepareOnDrivers(
  { parts, abilities }: UpgradeWork,
  upgrade: BaseUpgrade,
): Promise<void> {
  const wanted = new Map<string, { imageId: string; driver: string }>();
  const to = destinations(upgrade);
  for (const { container } of parts.registry.all()) {
    const imageId = to.get(destinedImage(container));
    const { driver } = container;
    if (imageId !== undefined) wanted.set(`${driver} ${imageId}`, { imageId, driver });
  }
  for (const { imageId, driver } of wanted.values()) {
    try {
      await abilities.of(driver);
      await parts.images.ask(imageId, driver);
    } catch (error) {
      // Its containers will say so, each.
      parts.log.warn({ driver, image: imageId, err: error }, 'an image was not unpacked');
    }
  }
}

async function takeNamesAlong(
  { parts }: UpgradeWork,
  images: readonly UpgradedImage[],
): Promise<UpgradedImage[]> {
  const done: UpgradedImage[] = [];
  const left: string[] = [];
  for (const image of images) {
    if (image.newImageId === '') {
      done.push(image);
      continue;
    }
    const { oldImageId: from, newImageId: to, references: names } = image;
    const { moved: movedReferences, error } = await moveNames(parts, { from, to, names });
    done.push({ ...image, movedReferences, error });
    if (movedReferences.length > 0) left.push(from);
  }
  await dropWarmStarts(parts, left);
  return done;
}

/** Starts that were made in advance on images that lost their names would wait for nobody. */
async function dropWarmStarts(
  { pool, peers, log }: EngineParts,
  imageIds: readonly string[],
): Promise<void> {
  if (imageIds.length === 0) return;
  try {
    const images = await listImages(peers);
    await pool.drop(images.filter(({ id }) => imageIds.includes(id)).map(topLayer));
  } catch (error) {
    // They go by themselves in a minute.
    log.info({ err: error }, 'starts in advance of images without a name stay for a while');
  }
}

async function takeContainersAlong(work: UpgradeWork, upgrade: BaseUpgrade): Promise<void> {
  const { parts, report } = work;
  const to = destinations(upgrade);
  const unmade = upgrade.images.filter((image) => image.newImageId === '');
  const tried = new Set<string>();
  for (let look = 0; look < LOOKS; look += 1) {
    for (const entry of parts.registry.all()) {
      if (work.isStopped()) return;
      const imageId = destinationOf(entry, upgrade.id, to);
      if (imageId === undefined || tried.has(entry.id)) continue;
      tried.add(entry.id);
      const destination = { upgradeId: upgrade.id, imageId, isUndo: false };
      const isWanted = (): boolean => destinationOf(entry, upgrade.id, to) === imageId;
      const value = await takeOver(work, entry, destination, isWanted);
      if (value !== undefined) report({ part: { $case: 'container', value } });
    }
  }
  for (const image of unmade) work.reportStranded(upgrade, image);
}

/** Image that a container is to be put on; undefined if it need not move, or waits for its next start already. */
function destinationOf(
  { container }: ContainerEntry,
  upgradeId: string,
  to: ReadonlyMap<string, string>,
): string | undefined {
  const { pendingRebase: pending } = container;
  const isOpen = pending?.upgradeId === upgradeId && pending.isBegun;
  return isOpen ? pending.imageId : to.get(destinedImage(container));
}
