import { RebaseState, UpgradedContainer } from '@teu/proto/engine';
import type { ContainerEntry } from '../container-entry.js';
import type { EngineParts } from '../engine-parts.js';
import { problemOf } from '../failed-start.js';
import { rebaseContainer } from './rebase-container.js';
import {
  recordRebaseFailed,
  recordRebaseScheduled,
  upgradeBefore,
  type Destination,
} from './rebase-transitions.js';
import { destinedImage } from './standing.js';
import type { UpgradeWork } from './upgrade-work.js';

/**
 * Puts one container on another image, as a whole or not at all, while nobody else changes it.
 * @param isWanted asked under the lock, since it may have changed while that was waited for
 * @returns what became of it; undefined if it is gone or not wanted any more
 */
export async function takeOver(
  { parts, abilities }: UpgradeWork,
  entry: ContainerEntry,
  to: Destination,
  isWanted: () => boolean,
): Promise<UpgradedContainer | undefined> {
  return entry.mutex.run(async () => {
    if (entry.removed || !isWanted()) return undefined;
    if (!to.isUndo) noteContainer(parts, entry, to);
    try {
      await rebaseContainer(parts, entry, to, abilities);
    } catch (error) {
      parts.log.warn({ container_id: entry.id, err: error }, 'a container was not put on its base');
      recordProblem(parts, entry, to, problemOf(error));
    }
    return parts.upgrades.findContainer(to.upgradeId, entry.id);
  });
}

/** Writes down what is to become of a container, unless that was done before a restart. */
function noteContainer(
  { store, upgrades }: EngineParts,
  entry: ContainerEntry,
  to: Destination,
): void {
  if (upgrades.findContainer(to.upgradeId, entry.id) !== undefined) return;
  const { id, name, driver } = entry.container;
  const row = UpgradedContainer.create({
    ...{ id, name, driver },
    oldImageId: destinedImage(entry.container),
    newImageId: to.imageId,
    state: RebaseState.REBASE_STATE_PENDING,
    previousUpgradeId: destinedUpgrade({ upgrades }, entry),
  });
  store.transaction(() => upgrades.putContainer(to.upgradeId, row));
}

/** The upgrade to which a container will owe its image when all that is in store for it has come. */
function destinedUpgrade(parts: Pick<EngineParts, 'upgrades'>, { id, container }: ContainerEntry) {
  const { pendingRebase: pending, baseUpgradeId } = container;
  if (pending === undefined) return baseUpgradeId;
  return pending.isUndo ? upgradeBefore(parts, id, pending.upgradeId) : pending.upgradeId;
}

function recordProblem(
  parts: EngineParts,
  entry: ContainerEntry,
  to: Destination,
  problem: string,
): void {
  const { pendingRebase: pending } = entry.container;
  const isOpen = pending?.isBegun === true && pending.upgradeId === to.upgradeId;
  if (isOpen) recordRebaseScheduled(parts, entry, to, problem);
  else recordRebaseFailed(parts, entry.id, to, problem);
}
