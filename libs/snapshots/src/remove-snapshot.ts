import { isTeuError, teuError } from '@teu/errors';
import { failpoint } from '@teu/failpoint';
import { SnapshotAction } from '@teu/proto/event';
import { Kind } from '@teu/proto/snapshots';
import { checkName } from './check-input.js';
import type { SnapshotContext } from './context.js';
import { findSnapshot } from './find-snapshot.js';
import type { SnapshotRecord } from './record.js';
import { freeReplaced } from './replaced-storage.js';

/**
 * Removes a snapshot: the row at once, the files later. The row of a committed one leaves behind that its
 * storage is to go, so that the next start can tell a removal from a record that was lost. Storage
 * without a row and without a manifest is swept by the next start in any case.
 *
 * @throws SNAPSHOT_NOT_FOUND, SNAPSHOT_IN_USE
 */
export async function removeSnapshot(context: SnapshotContext, name: string): Promise<void> {
  checkName(name, 'key');
  const { id, kind } = deleteRow(context, name);
  failpoint('storage.remove.after-row');
  try {
    await context.trees.stop(id);
    await context.driver.discard(id);
    if (kind === Kind.COMMITTED) context.manifests.remove(id);
  } catch (error) {
    // The snapshot is gone as far as anyone can ask; its files wait for the next start.
    context.log.error(
      { err: error, snapshot: name },
      'the files of a removed snapshot stay for now',
    );
  } finally {
    context.records.settle(id);
  }
  failpoint('storage.remove.after-discard');
  await freeReplaced(context);
  context.scheduleReclaim();
}

/** Deletes the row. A full disk is why many a removal is asked for, so it must not prevent one. */
function deleteRow(context: SnapshotContext, name: string): SnapshotRecord {
  const work = (): SnapshotRecord => {
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
    if (context.branches.isBranch(record.id)) {
      const text = `snapshot "${name}" cannot be removed: it is a branch of another one`;
      throw teuError('SNAPSHOT_IN_USE', text, { metadata: { snapshot: name } });
    }
    context.merges.refuse(record.id, name);
    context.branches.delete(record.id);
    context.records.delete(record.id);
    context.records.setInMotion(record.id);
    if (record.kind === Kind.COMMITTED) {
      context.records.addDiscard(record.id);
      context.announce(SnapshotAction.SNAPSHOT_ACTION_REMOVED, name, record.parentName);
    }
    return record;
  };
  try {
    return context.records.transaction(work);
  } catch (error) {
    if (!isTeuError(error, 'STORAGE_FULL')) throw error;
    // The store has given up its reserve by now.
    return context.records.transaction(work);
  }
}
