import { teuError } from '@teu/errors';
import { failpoint } from '@teu/failpoint';
import type { TransplantSnapshotRequest } from '@teu/proto/image';
import type { LayerDriver } from '../layers/layer-driver.js';
import type { ExtractIntent } from '../layers/unpacker.js';
import type { ImageParts } from './image-parts.js';
import { lookAtTree, removeOrLeave, requireSnapshot } from './tree-look.js';

/** A snapshot that is made from another; its object key is the key of the one that is made. */
export const TRANSPLANT_OPERATION = 'transplant';

type Parts = Pick<ImageParts, 'chores' | 'drivers' | 'layerMutex' | 'pins' | 'store' | 'trees'>;

/**
 * Makes a snapshot on another parent that has all that was written to a given one. It is on the disk when this
 * returns; if this fails, or a crash comes before, it is not there.
 * @returns number of names that were written, changed or removed on top of the new parent
 * @throws SNAPSHOT_NOT_FOUND, SNAPSHOT_EXISTS, INVALID_STATE, CONFLICT if the given one stands on another parent than
 *   was said or is written to, STORAGE_FULL, QUOTA_EXCEEDED
 */
export async function transplantSnapshot(
  parts: Parts,
  request: TransplantSnapshotRequest,
  signal: AbortSignal,
): Promise<number> {
  const driver = parts.drivers.get(request.driver);
  await checkRequest(driver, request);
  // Of two that make the same one, the second finds it.
  return parts.layerMutex.run(`${driver.name} ${request.targetKey}`, () =>
    makeTarget(parts, driver, request, signal),
  );
}

async function makeTarget(
  parts: Parts,
  driver: LayerDriver,
  request: TransplantSnapshotRequest,
  signal: AbortSignal,
): Promise<number> {
  const { chores, pins, store } = parts;
  const { targetKey, targetParent } = request;
  // What an attempt before has left under this key goes first, and not after it was made anew.
  if (chores.hasLeftover(driver.name, targetKey)) await chores.settle(driver.name);
  await requireAbsent(driver, targetKey);
  const payload: ExtractIntent = { driver: driver.name };
  pins.pin(targetParent);
  const intent = store.intents.begin({
    operation: TRANSPLANT_OPERATION,
    objectKey: targetKey,
    payload,
  });
  try {
    failpoint('image.transplant.after-intent');
    const changedCount = await writeTarget(parts, driver, request, signal);
    failpoint('image.transplant.after-write');
    store.intents.finish(intent);
    return changedCount;
  } catch (error) {
    await removeOrLeave(parts, driver, targetKey, intent);
    throw error;
  } finally {
    pins.release([targetParent]);
  }
}

async function writeTarget(
  parts: Parts,
  driver: LayerDriver,
  { key, parent, targetKey, targetParent, targetLabels }: TransplantSnapshotRequest,
  signal: AbortSignal,
): Promise<number> {
  await using old = await lookAtTree(parts, driver, parent, { kind: 'committed', parent: '' });
  await using changed = await lookAtTree(parts, driver, key, { kind: 'active', parent });
  const target = await driver.prepareFor(targetKey, targetParent, targetLabels);
  failpoint('image.transplant.after-prepare');
  const trees = { old: old.mounts, changed: changed.mounts, target, descends: true };
  return await parts.trees.transplant(trees, signal);
}

async function checkRequest(
  driver: LayerDriver,
  { key, parent, targetKey, targetParent }: TransplantSnapshotRequest,
): Promise<void> {
  const facts = await requireSnapshot(driver, key, 'key');
  if (facts.kind !== 'active') {
    throw teuError('INVALID_STATE', `snapshot "${key}" is not active`, {
      metadata: { snapshot: key, driver: driver.name },
    });
  }
  for (const [field, name] of Object.entries({ parent, target_parent: targetParent })) {
    const { kind } = await requireSnapshot(driver, name, field);
    if (kind === 'committed') continue;
    throw teuError('SNAPSHOT_NOT_COMMITTED', `${field}: snapshot "${name}" is not committed`, {
      metadata: { field, snapshot: name, driver: driver.name },
    });
  }
  if (targetKey === '') {
    const field = 'target_key';
    throw teuError('INVALID_ARGUMENT', `${field} is empty`, { metadata: { field } });
  }
  if (facts.parent === parent) return;
  const text = `snapshot "${key}" stands on "${facts.parent}", not on "${parent}"`;
  throw teuError('CONFLICT', text, { metadata: { snapshot: key, parent: facts.parent } });
}

/** Only what this makes may it remove. */
async function requireAbsent(driver: LayerDriver, key: string): Promise<void> {
  if ((await driver.describe(key)) === undefined) return;
  throw teuError('SNAPSHOT_EXISTS', `snapshot "${key}" exists already`, {
    metadata: { snapshot: key, driver: driver.name },
  });
}
