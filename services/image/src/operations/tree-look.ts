import { randomUUID } from 'node:crypto';
import { teuError } from '@teu/errors';
import { failpoint } from '@teu/failpoint';
import type { ParsedMount } from '@teu/mounts';
import type { LayerDriver, SnapshotFacts } from '../layers/layer-driver.js';
import { readOnlyMounts } from '../layers/read-only-mounts.js';
import type { ExtractIntent } from '../layers/unpacker.js';
import type { ImageParts } from './image-parts.js';

/** A view that is made for one look; its object key is the view's key. */
export const LOOK_OPERATION = 'look';

/** A snapshot's tree, to be looked at until it is let go of. */
export interface TreeLook extends AsyncDisposable {
  readonly mounts: ParsedMount[];
}

/** @throws SNAPSHOT_NOT_FOUND naming the field of the request */
export async function requireSnapshot(
  driver: LayerDriver,
  name: string,
  field: string,
): Promise<SnapshotFacts> {
  if (name === '') {
    throw teuError('INVALID_ARGUMENT', `${field} is empty`, { metadata: { field } });
  }
  const facts = await driver.describe(name);
  if (facts !== undefined) return facts;
  throw teuError('SNAPSHOT_NOT_FOUND', `${field}: snapshot "${name}" does not exist`, {
    metadata: { field, snapshot: name, driver: driver.name },
  });
}

/**
 * Tells how a snapshot is mounted for looking. Of a committed one a view is made, which goes with the look; whatever
 * happens, its intent has it removed.
 */
export async function lookAtTree(
  parts: Pick<ImageParts, 'chores' | 'store'>,
  driver: LayerDriver,
  name: string,
  { kind }: SnapshotFacts,
): Promise<TreeLook> {
  if (kind !== 'committed') {
    const mounts = await driver.mounts(name);
    const look = kind === 'active' ? readOnlyMounts(mounts) : mounts;
    return { mounts: look, [Symbol.asyncDispose]: () => Promise.resolve() };
  }
  const { store } = parts;
  const key = `look/${randomUUID()}`;
  const payload: ExtractIntent = { driver: driver.name };
  const intent = store.intents.begin({ operation: LOOK_OPERATION, objectKey: key, payload });
  const letGo = () => removeOrLeave(parts, driver, key, intent);
  try {
    const mounts = await driver.view(key, name);
    failpoint('image.look.after-view');
    return { mounts, [Symbol.asyncDispose]: letGo };
  } catch (error) {
    await letGo();
    throw error;
  }
}

/** Removes a snapshot of an operation that is over, or has that done when the driver can. */
export async function removeOrLeave(
  { chores, store }: Pick<ImageParts, 'chores' | 'store'>,
  driver: LayerDriver,
  key: string,
  intent: string,
): Promise<void> {
  try {
    await driver.remove(key);
    store.intents.finish(intent);
  } catch {
    // What was found out by looking, or why it failed, is what the caller wants to know.
    chores.addLeftover(driver.name, key, intent);
  }
}
