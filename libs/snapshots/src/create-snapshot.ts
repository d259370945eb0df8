import { teuError } from '@teu/errors';
import { failpoint } from '@teu/failpoint';
import { clock } from '@teu/ids';
import { Kind, type Mount } from '@teu/proto/snapshots';
import { checkLabels, checkName } from './check-input.js';
import type { SnapshotContext } from './context.js';
import { diskError } from './disk-error.js';
import type { SnapshotPlace } from './driver.js';
import { findParent } from './find-snapshot.js';
import { quotaOfLabels, requireQuota } from './quota.js';
import type { Labels } from './record.js';

/** What Prepare and View ask for. */
export interface NewSnapshot {
  readonly kind: typeof Kind.ACTIVE | typeof Kind.VIEW;
  readonly key: string;
  /** Name of the parent; empty for none. */
  readonly parent: string;
  readonly labels: Labels;
  /** Who asked; its signal is aborted when it waits no more. */
  readonly caller?: { readonly signal: AbortSignal };
}

/**
 * Makes an active snapshot or a view.
 *
 * Storage first, then the row: one durable transaction, and nothing else is waited for. That is
 * enough because the storage is named after the row and empty. A crash before the row leaves a name
 * without a row, which the next start removes. A power cut after the row can take the storage with
 * it, which the next start makes again: had anything in it been made durable, its directory would
 * have been made durable with it.
 *
 * @returns What to mount.
 * @throws SNAPSHOT_EXISTS, SNAPSHOT_NOT_FOUND, SNAPSHOT_NOT_COMMITTED, INVALID_ARGUMENT; CANCELLED or
 * DEADLINE_EXCEEDED if the caller gave up before there was a row
 */
export async function createSnapshot(
  context: SnapshotContext,
  wanted: NewSnapshot,
): Promise<Mount[]> {
  checkName(wanted.key, 'key');
  const labels = checkLabels(wanted.labels);
  const limitBytes = quotaOfLabels(labels);
  if (limitBytes !== undefined) requireQuota(context);
  const parent = findParent(context, wanted.parent);
  refuseTaken(context, wanted.key);
  const place: SnapshotPlace = {
    id: context.records.takeId(),
    writable: wanted.kind === Kind.ACTIVE,
    parentIds: context.records.chain(parent?.id ?? null),
  };
  try {
    const made = context.driver.create(place);
    if (made !== undefined) await made;
    if (limitBytes !== undefined) await requireQuota(context).set(place.id, limitBytes);
    failpoint('storage.create.after-storage');
    // Whoever gave up may have asked for the removal since, and heard that there is nothing to remove.
    wanted.caller?.signal.throwIfAborted();
    context.records.transaction(() => {
      // Looked at again because others may have worked while a slow driver did.
      refuseTaken(context, wanted.key);
      const parentId = requireSameParent(context, wanted.parent, parent?.id);
      context.records.insert({
        id: place.id,
        name: wanted.key,
        parentId,
        kind: wanted.kind,
        labels,
        createdAt: clock.now(),
      });
    });
  } catch (error) {
    await discardQuietly(context, place.id);
    // That the parent is gone meanwhile says more than how its driver noticed.
    requireSameParent(context, wanted.parent, parent?.id);
    throw diskError(error, `snapshot "${wanted.key}" cannot be made`);
  } finally {
    context.records.settle(place.id);
  }
  failpoint('storage.create.after-row');
  return await context.driver.mounts(place);
}

/**
 * Returns the id of the parent, or null for none.
 *
 * @throws SNAPSHOT_NOT_FOUND if it is gone, CONFLICT if another one has its name by now
 */
function requireSameParent(
  context: SnapshotContext,
  name: string,
  expectedId: number | undefined,
): number | null {
  const id = findParent(context, name)?.id;
  if (id === expectedId) return id ?? null;
  const text = `parent snapshot "${name}" was replaced while a snapshot was made on it`;
  throw teuError('CONFLICT', text, { metadata: { snapshot: name } });
}

/** The first error is the one to tell; what cannot be discarded now is swept at the next start. */
async function discardQuietly(context: SnapshotContext, id: number): Promise<void> {
  try {
    await context.driver.discard(id);
    context.scheduleReclaim();
  } catch (error) {
    context.log.error({ err: error }, 'the files of a snapshot that was not made stay for now');
  }
}

/** @throws SNAPSHOT_EXISTS */
export function refuseTaken(context: SnapshotContext, name: string): void {
  if (context.records.find(name) === undefined) return;
  throw teuError('SNAPSHOT_EXISTS', `snapshot "${name}" exists already`, {
    metadata: { snapshot: name },
  });
}
