import { isTeuError, teuError } from '@teu/errors';
import { failpoint } from '@teu/failpoint';
import { nextContainerSnapshotKey, type ContainerId } from '@teu/ids';
import { ImageServiceService } from '@teu/proto/image';
import type { ContainerEntry } from '../container-entry.js';
import type { EngineParts } from '../engine-parts.js';
import { requireSpec } from '../executor-spec.js';
import { limitLabels } from '../prepare-start.js';
import { RebaseAbilities, type RebaseAbility } from './rebase-timing.js';
import {
  recordRebaseBegun,
  recordRebaseDropped,
  recordRebased,
  recordRebaseScheduled,
  type Destination,
} from './rebase-transitions.js';

/** A layer may hold as much as a disk does. */
const TRANSPLANT_TIMEOUT_MS = 15 * 60_000;

/**
 * Puts a container on another image, or has that done before its next start, where it runs and its driver cannot
 * change what is mounted. The lock must be held. What it runs, its environment and so on stay as they are.
 * @throws Whatever was in the way. The container then stands where it stood; if its record says that the move is begun,
 *   that is not known, and its next start makes it so
 */
export async function rebaseContainer(
  parts: EngineParts,
  entry: ContainerEntry,
  to: Destination,
  abilities: RebaseAbilities,
): Promise<void> {
  const { imageId, pendingRebase: before, driver } = entry.container;
  // It is where it should be, and what else was in store for it was not begun.
  if (imageId === to.imageId && before?.isBegun !== true) {
    recordRebased(parts, entry, to, { isLive: false });
    return;
  }
  const ability = await abilities.of(driver);
  if (entry.running && !ability.isLive) recordRebaseScheduled(parts, entry, to);
  else await moveLayer(parts, entry, to, ability);
}

/**
 * Carries out what an upgrade or an undo has in store for a container, before its root file system is mounted. If that
 * fails the start fails: a container that would come up on the old base unnoticed is worse than one that does not come
 * up. It stays as it is, and its next start tries again.
 * @throws Whatever was in the way, saying which upgrade it is
 */
export async function rebaseBeforeStart(parts: EngineParts, entry: ContainerEntry): Promise<void> {
  const { pendingRebase: to, driver } = entry.container;
  if (to === undefined) return;
  try {
    await moveLayer(parts, entry, to, await new RebaseAbilities(parts).of(driver));
  } catch (error) {
    if (!isTeuError(error)) throw error;
    const what = to.isUndo ? 'the undo of base upgrade' : 'base upgrade';
    const text = `${what} ${to.upgradeId} has put container ${entry.id} on another image from this start on, which failed: ${error.message}`;
    const metadata = { ...error.metadata, upgrade: to.upgradeId };
    throw teuError(error.reason, text, { metadata, cause: error });
  }
}

async function moveLayer(
  parts: EngineParts,
  entry: ContainerEntry,
  to: Destination,
  { canReparent }: RebaseAbility,
): Promise<void> {
  const { driver } = entry.container;
  const target =
    parts.images.current(to.imageId, driver) ?? (await parts.images.ask(to.imageId, driver));
  // What an earlier run has left may still use the layer.
  if (!entry.running) await parts.teardown.settle(entry.id);
  if (canReparent) await setParent(parts, entry, to, target.snapshot);
  else await transplant(parts, entry, to, target.snapshot);
  failpoint('engine.rebase.after-record');
}

/**
 * The record is in one place and the parent in another, so the record says first what is about to be done, and goes
 * on saying so where nobody can tell whether it was.
 */
async function setParent(
  parts: EngineParts,
  entry: ContainerEntry,
  to: Destination,
  parent: string,
): Promise<void> {
  const { driver, snapshotKey: key, pendingRebase: before } = entry.container;
  const client = parts.drivers.get(driver);
  const expectedParent = await parentOf(parts, entry);
  recordRebaseBegun(parts, entry, to);
  failpoint('engine.rebase.after-intent');
  let isLive = false;
  try {
    isLive = await client.setParent({ key, expectedParent, parent });
  } catch (error) {
    const stands = await parentOf(parts, entry).catch(() => undefined);
    const isUntouched = stands === expectedParent && stands !== parent;
    if (isUntouched && before?.isBegun !== true) recordRebaseDropped(parts, entry, before);
    // A running container does not see it; one that does not run has it from its next mount on.
    if (stands !== parent || entry.running) throw error;
    parts.log.warn(
      { container_id: entry.id, err: error },
      'a layer changed its parent all the same',
    );
  }
  failpoint('engine.rebase.after-parent');
  // Where mounts that exist do not follow, those of the next start do.
  if (entry.running && !isLive) recordRebaseScheduled(parts, entry, to);
  else recordRebased(parts, entry, to, { isLive: entry.running });
}

/** For drivers that cannot: another layer on the other parent gets what was written to this one. */
async function transplant(
  parts: EngineParts,
  entry: ContainerEntry,
  to: Destination,
  targetParent: string,
): Promise<void> {
  const { store, teardown } = parts;
  const { driver, snapshotKey: key } = entry.container;
  const parent = await parentOf(parts, entry);
  if (parent === targetParent) {
    recordRebased(parts, entry, to, { isLive: false });
    return;
  }
  const snapshotKey = nextContainerSnapshotKey(entry.id as ContainerId, key);
  const payload = { driver, snapshotKey };
  const intentId = store.intents.begin({ operation: 'rebase', objectKey: entry.id, payload });
  failpoint('engine.rebase.after-intent');
  try {
    const targetLabels = limitLabels(requireSpec(entry.container).rootSizeBytes);
    await parts.peers.image.call(
      ImageServiceService.transplantSnapshot,
      { driver, key, parent, targetKey: snapshotKey, targetParent, targetLabels },
      { timeoutMs: TRANSPLANT_TIMEOUT_MS, retryMs: 0 },
    );
    failpoint('engine.rebase.after-transplant');
    recordRebased(parts, entry, to, { isLive: false, snapshotKey, intentId });
  } catch (error) {
    store.transaction(() => {
      store.intents.finish(intentId);
      teardown.schedule({ containerId: entry.id, snapshot: { driver, key: snapshotKey } });
    });
    throw error;
  }
}

/** Name of the snapshot that a container's layer stands on. */
async function parentOf(parts: EngineParts, entry: ContainerEntry): Promise<string> {
  const { driver, snapshotKey: key } = entry.container;
  const info = await parts.drivers.get(driver).stat(key);
  if (info !== undefined) return info.parent;
  const text = `the layer of container ${entry.id} is not in the storage driver ${driver}`;
  throw teuError('SNAPSHOT_NOT_FOUND', text, { metadata: { driver, container: entry.id } });
}
