import { teuError } from '@teu/errors';
import { failpoint } from '@teu/failpoint';
import { clock } from '@teu/ids';
import { SnapshotAction } from '@teu/proto/event';
import { Kind } from '@teu/proto/snapshots';
import { Capability } from '@teu/proto/storage';
import { checkName } from './check-input.js';
import type { SnapshotContext } from './context.js';
import { eachRecord } from './each-record.js';
import { findActive, findSnapshot, placeOf } from './find-snapshot.js';
import type { SnapshotRecord } from './record.js';
import { freeReplaced } from './replaced-storage.js';

/** What ReplaceSnapshot asks for. */
export interface ReplaceRequest {
  /** Key of the active snapshot. */
  readonly key: string;
  /** Name of the committed one. */
  readonly name: string;
}

interface Pair {
  readonly active: SnapshotRecord;
  readonly committed: SnapshotRecord;
}

/**
 * Puts what is in an active snapshot in the place of a committed one.
 *
 * Storage is named after ids, and nothing but rows says which id is whose. So the active one gets the name, and all
 * that stood on the other stands on it, in one transaction; no file is moved. A crash before it leaves the active
 * snapshot as it was. After it the storage of the other is nobody's, as after a removal; where somebody may have it
 * mounted it stays until those have gone (`replaced-storage.ts`).
 *
 * @throws FEATURE_UNSUPPORTED, SNAPSHOT_NOT_FOUND, INVALID_STATE if they are not an active and a committed one,
 *   CONFLICT if they do not stand on the same parent
 */
export async function replaceSnapshot(
  context: SnapshotContext,
  request: ReplaceRequest,
): Promise<void> {
  requireReplace(context);
  checkName(request.key, 'key');
  checkName(request.name, 'name');
  findPair(context, request);
  // What is merged into a parent has to find it where it was.
  await context.mergeQueue.run(() => carryOut(context, request));
}

async function carryOut(context: SnapshotContext, request: ReplaceRequest): Promise<void> {
  const { driver, records, sealer } = context;
  const { active, committed } = findPair(context, request);
  await driver.persist(active.id);
  const usage = await driver.usage(active.id);
  failpoint('storage.replace.after-persist');
  const holders = await mountableOn(context, committed.id);
  records.transaction(() => {
    const now = findPair(context, request);
    if (now.active.id !== active.id || now.committed.id !== committed.id) throw changed(request);
    records.replace(committed, { id: active.id, at: clock.now(), ...usage });
    context.branches.replace(committed.id, active.id);
    context.replaced.add(committed.id, holders);
    const action = SnapshotAction.SNAPSHOT_ACTION_EDITED;
    context.announce(action, committed.name, committed.parentName);
  });
  failpoint('storage.replace.after-row');
  await driver.committed?.(active.id);
  await context.trees.stop(committed.id);
  await showReplacement(context, active.id, committed.id);
  await freeReplaced(context);
  sealer.schedule();
}

/** Ids of all that somebody can have mounted and that stands on a snapshot. */
async function mountableOn(context: SnapshotContext, id: number): Promise<number[]> {
  const found: number[] = [];
  for await (const record of eachRecord(context)) {
    if (record.kind === Kind.COMMITTED) continue;
    const place = placeOf(context, record);
    const branches = place.added?.map((branch) => branch.id) ?? [];
    if (place.parentIds.includes(id) || branches.includes(id)) found.push(record.id);
  }
  return found;
}

/** Has mounts that can be changed show it; the others do from their next mount on. */
async function showReplacement(
  context: SnapshotContext,
  id: number,
  replacedId: number,
): Promise<void> {
  const { driver, log, records, replaced } = context;
  if (!driver.capabilities.includes(Capability.CAPABILITY_LIVE_REPARENT)) return;
  for (const holder of await mountableOn(context, id)) {
    const record = records.findById(holder);
    if (record === undefined) continue;
    try {
      const isLive = await driver.reparent?.apply(placeOf(context, record), undefined);
      if (isLive === true) records.transaction(() => replaced.release(replacedId, holder));
    } catch (error) {
      log.error(
        { err: error, snapshot: record.name },
        'a mount may show a layer that was replaced',
      );
    }
  }
}

function findPair(context: SnapshotContext, { key, name }: ReplaceRequest): Pair {
  const active = findActive(context, key);
  const committed = findSnapshot(context, name);
  if (committed.kind !== Kind.COMMITTED) {
    throw teuError('INVALID_STATE', `snapshot "${name}" is not committed`, {
      metadata: { snapshot: name },
    });
  }
  context.merges.refuse(active.id, key);
  if (context.branches.of(active.id).length > 0) {
    const text = `snapshot "${key}" cannot replace another: branches were added to it, which would be missing`;
    throw teuError('INVALID_STATE', text, { metadata: { snapshot: key } });
  }
  if (active.parentId === committed.parentId) return { active, committed };
  const text = `snapshot "${key}" stands on "${active.parentName}", and "${name}" on "${committed.parentName}"`;
  throw teuError('CONFLICT', text, { metadata: { snapshot: key, parent: active.parentName } });
}

function requireReplace({ driver }: SnapshotContext): void {
  if (driver.capabilities.includes(Capability.CAPABILITY_REPLACE)) return;
  const text = `storage driver ${driver.name} cannot put a snapshot in the place of a committed one`;
  throw teuError('FEATURE_UNSUPPORTED', text, { metadata: { driver: driver.name } });
}

function changed({ name }: ReplaceRequest): Error {
  return teuError('CONFLICT', `snapshot "${name}" has changed while it was to be replaced`, {
    metadata: { snapshot: name },
  });
}
