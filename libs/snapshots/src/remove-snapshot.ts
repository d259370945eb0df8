import { isTeuError, teuError } from '@teu/errors';
import { failpoint } from '@teu/failpoint';
import { SnapshotAction } from '@teu/proto/event';
import { Kind } from '@teu/proto/snapshots';
import { checkName } from './check-input.js';
import type { SnapshotContext } from './context.js';
import { findSnapshot } from './find-snapshot.js';

/**
 * Removes a snapshot: the row at once, the files later. Storage without a row is what the next start
 * sweeps, so a crash anywhere leaves nothing behind.
 *
 * @throws SNAPSHOT_NOT_FOUND, SNAPSHOT_IN_USE
 */
export async function removeSnapshot(context: SnapshotContext, name: string): Promise<void> {
  checkName(name, 'key');
  const id = deleteRow(context, name);
  failpoint('storage.remove.after-row');
  try {
    await context.driver.discard(id);
  } catch (error) {
    // The snapshot is gone as far as anyone can ask; its files wait for the next start.
    context.log.error(
      { err: error, snapshot: name },
      'the files of a removed snapshot stay for now',
    );
  }
  failpoint('storage.remove.after-discard');
  context.scheduleReclaim();
}

/** Deletes the row. A full disk is why many a removal is asked for, so it must not prevent one. */
function deleteRow(context: SnapshotContext, name: string): number {
  const work = (): number => {
    const record = findSnapshot(context, name);
    if (context.records.hasChildren(record.id)) {
      throw teuError(
        'SNAPSHOT_IN_USE',
        `snapshot "${name}" cannot be removed: others stand on it`,
        {
          metadata: { snapshot: name },
        },
      );
    }
    context.records.delete(record.id);
    if (record.kind === Kind.COMMITTED) {
      context.announce(SnapshotAction.SNAPSHOT_ACTION_REMOVED, name, record.parentName);
    }
    return record.id;
  };
  try {
    return context.records.transaction(work);
  } catch (error) {
    if (!isTeuError(error, 'STORAGE_FULL')) throw error;
    // The store has given up its reserve by now.
    return context.records.transaction(work);
  }
}
