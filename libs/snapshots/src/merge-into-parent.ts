import { teuError } from '@teu/errors';
import { failpoint } from '@teu/failpoint';
import { SnapshotAction } from '@teu/proto/event';
import { checkName } from './check-input.js';
import type { SnapshotContext } from './context.js';
import { diskError } from './disk-error.js';
import type { SnapshotMerge } from './driver.js';
import { findActive, findParent, placeOf } from './find-snapshot.js';
import type { SnapshotRecord } from './record.js';

/** What MergeIntoParent asks for. */
export interface MergeRequest {
  readonly key: string;
  /** Name of the parent that the snapshot must stand on. */
  readonly expectedParent: string;
}

/**
 * Puts what was written to an active snapshot into its parent itself. Others that stand on the parent
 * see the change as it happens, where they are mounted.
 *
 * A row that says so comes first. From then on the parent is neither as it was nor as it will be, so
 * the merge can only go on: after a crash the next start does it, after a failure of the disk also whoever
 * asks again. The end is one transaction: the parent has its new size and no manifest, and the fact is
 * announced.
 *
 * @throws FEATURE_UNSUPPORTED, SNAPSHOT_NOT_FOUND, INVALID_STATE if it is not active, is mounted by
 *   somebody, has added branches or no parent; CONFLICT if it stands on another parent or is merged now
 */
export async function mergeIntoParent(
  context: SnapshotContext,
  request: MergeRequest,
): Promise<{ changedCount: number }> {
  const merge = requireMerge(context);
  checkName(request.key, 'key');
  checkName(request.expectedParent, 'expected_parent');
  const { id } = findMergeable(context, request);
  return await context.mergeQueue.run(async () => {
    const record = findMergeable(context, request);
    if (record.id !== id) throw replaced(request.key);
    await merge.begin(placeOf(context, record));
    context.records.transaction(() => {
      if (findMergeable(context, request).id !== id) throw replaced(request.key);
      context.merges.begin(id);
    });
    failpoint('storage.merge.after-intent');
    try {
      return { changedCount: await carryOut(context, merge, record) };
    } catch (error) {
      const text = `snapshot "${request.key}" is not yet whole in its parent; ask for it again`;
      throw diskError(error, text);
    }
  });
}

/** Ends the merges that a crash has left; run once, before the first request. */
export async function finishMerges(context: SnapshotContext): Promise<void> {
  for (const id of context.merges.ids()) {
    const record = context.records.findById(id);
    try {
      if (record !== undefined) await carryOut(context, requireMerge(context), record);
    } catch (error) {
      const text = 'a merge that was begun could not be ended; the next start tries again';
      context.log.error({ err: error, snapshot: record?.name }, text);
    }
  }
}

/** Can be done again from its beginning at any time. */
async function carryOut(
  context: SnapshotContext,
  merge: SnapshotMerge,
  record: SnapshotRecord,
): Promise<number> {
  const { records, manifests, trees, sealer } = context;
  const place = placeOf(context, record);
  const [parentId] = place.parentIds;
  if (parentId === undefined) throw new Error('a snapshot without a parent is being merged');
  const changedCount = await trees.exclude(parentId, async () => {
    // What was committed is no more; a manifest that stayed would be taken for one of what is there now.
    manifests.remove(parentId);
    const count = await merge.merge(place);
    failpoint('storage.merge.after-storage');
    const usage = await context.driver.usage(parentId);
    records.transaction(() => {
      records.setChanged(parentId, usage);
      context.merges.end(record.id);
      const parent = records.findById(parentId);
      const action = SnapshotAction.SNAPSHOT_ACTION_EDITED;
      context.announce(action, record.parentName, parent?.parentName ?? '');
    });
    return count;
  });
  failpoint('storage.merge.after-row');
  await merge.refresh(parentId);
  sealer.retry(parentId);
  return changedCount;
}

function findMergeable(context: SnapshotContext, request: MergeRequest): SnapshotRecord {
  const { key, expectedParent } = request;
  const record = findActive(context, key);
  if (record.parentId === null) {
    const text = `snapshot "${key}" has no parent that it could be merged into`;
    throw teuError('INVALID_STATE', text, { metadata: { snapshot: key } });
  }
  if (record.parentName !== expectedParent) {
    const text = `snapshot "${key}" stands on "${record.parentName}", not on "${expectedParent}"`;
    throw teuError('CONFLICT', text, { metadata: { snapshot: key, parent: record.parentName } });
  }
  findParent(context, record.parentName);
  if (context.branches.of(record.id).length > 0) {
    const text = `snapshot "${key}" cannot be merged: branches were added to it`;
    throw teuError('INVALID_STATE', text, { metadata: { snapshot: key } });
  }
  return record;
}

function requireMerge({ driver }: SnapshotContext): SnapshotMerge {
  if (driver.merge !== undefined) return driver.merge;
  const text = `storage driver ${driver.name} cannot change a committed snapshot in place`;
  throw teuError('FEATURE_UNSUPPORTED', text, { metadata: { driver: driver.name } });
}

function replaced(key: string): Error {
  return teuError('CONFLICT', `snapshot "${key}" was replaced while it was to be merged`, {
    metadata: { snapshot: key },
  });
}
