import { RebaseState, type Container } from '@teu/proto/engine';
import { ContainerAction } from '@teu/proto/event';
import { announce } from '../container-events.js';
import type { ContainerEntry } from '../container-entry.js';
import type { EngineParts } from '../engine-parts.js';

/** What changes of state need; each is one durable transaction, and memory follows the disk. */
type Parts = Pick<EngineParts, 'store' | 'table' | 'upgrades' | 'journal' | 'node' | 'teardown'>;

/** Where a container is to go, and by whose will. */
export interface Destination {
  upgradeId: string;
  /** Id of the image to stand on. */
  imageId: string;
  /** Whether that is where it came from. */
  isUndo: boolean;
}

/** What became of the layer. */
export interface MovedLayer {
  /** Whether the container runs on the new base already. */
  isLive: boolean;
  /** Key of the layer that takes the place of the old one; absent if that stayed. */
  snapshotKey?: string;
  /** Intent that names the new layer until this record. */
  intentId?: string;
}

/** Writes down that a driver is about to be asked: from here on only the driver knows where the layer stands. */
export function recordRebaseBegun(parts: Parts, entry: ContainerEntry, to: Destination): void {
  commit(parts, entry, { ...entry.container, pendingRebase: { ...to, isBegun: true } });
}

/** Takes that back: the layer stands where it stood, and what was in store for the container still is. */
export function recordRebaseDropped(
  parts: Parts,
  entry: ContainerEntry,
  before: Container['pendingRebase'],
): void {
  commit(parts, entry, { ...entry.container, pendingRebase: before });
}

/** A container will stand on another image from its next start on. */
export function recordRebaseScheduled(
  parts: Parts,
  entry: ContainerEntry,
  to: Destination,
  detail = '',
): void {
  const isBegun = entry.container.pendingRebase?.isBegun ?? false;
  const container = { ...entry.container, pendingRebase: { ...to, isBegun } };
  const { REBASE_STATE_SCHEDULED, REBASE_STATE_UNDO_SCHEDULED } = RebaseState;
  const state = to.isUndo ? REBASE_STATE_UNDO_SCHEDULED : REBASE_STATE_SCHEDULED;
  commit(parts, entry, container, () => {
    const action = ContainerAction.CONTAINER_ACTION_REBASE_SCHEDULED;
    const { upgradeId, imageId } = to;
    container.lastSequence = announce(parts, container, [{ action, upgradeId, imageId }]);
    noteState(parts, entry.id, to, { state, detail });
  });
}

/** A container stands on another image. */
export function recordRebased(
  parts: Parts,
  entry: ContainerEntry,
  to: Destination,
  { isLive, snapshotKey, intentId }: MovedLayer,
): void {
  const { upgradeId, imageId, isUndo } = to;
  const before = entry.container;
  const container: Container = {
    ...before,
    imageId,
    snapshotKey: snapshotKey ?? before.snapshotKey,
    baseUpgradeId: isUndo ? upgradeBefore(parts, entry.id, upgradeId) : upgradeId,
    pendingRebase: undefined,
  };
  commit(parts, entry, container, () => {
    const action = ContainerAction.CONTAINER_ACTION_REBASED;
    container.lastSequence = announce(parts, container, [{ action, upgradeId, imageId }]);
    if (intentId !== undefined) parts.store.intents.finish(intentId);
    if (snapshotKey !== undefined) {
      const snapshot = { driver: before.driver, key: before.snapshotKey };
      parts.teardown.schedule({ containerId: entry.id, snapshot });
    }
    parts.upgrades.settleScheduled(entry.id);
    const state = isUndo ? RebaseState.REBASE_STATE_UNDONE : RebaseState.REBASE_STATE_DONE;
    noteState(parts, entry.id, to, { state, isLive, detail: '' });
  });
}

/** A container could not be moved, and stands where it stood. */
export function recordRebaseFailed(
  parts: Parts,
  containerId: string,
  to: Destination,
  detail: string,
): void {
  const state = RebaseState.REBASE_STATE_FAILED;
  parts.store.transaction(() => noteState(parts, containerId, to, { state, detail }));
}

/** Upgrade that had put a container on the image that it stood on before another upgrade; empty if none did. */
export function upgradeBefore(
  { upgrades }: Pick<EngineParts, 'upgrades'>,
  containerId: string,
  upgradeId: string,
): string {
  return upgrades.findContainer(upgradeId, containerId)?.previousUpgradeId ?? '';
}

function noteState(
  { upgrades }: Parts,
  containerId: string,
  { upgradeId }: Destination,
  news: { state: RebaseState; detail: string; isLive?: boolean },
): void {
  const known = upgrades.findContainer(upgradeId, containerId);
  // An upgrade may be forgotten while a container waits for its next start.
  if (known !== undefined) upgrades.putContainer(upgradeId, { ...known, ...news });
}

function commit(
  { store, table }: Parts,
  entry: ContainerEntry,
  container: Container,
  also: () => void = () => undefined,
): void {
  store.transaction(() => {
    also();
    table.update(container, entry.bootId);
  });
  entry.accept(container);
}
