import { isTeuError, teuError } from '@teu/errors';
import { failpoint } from '@teu/failpoint';
import { clock } from '@teu/ids';
import type { BaseEdit, ContainerExit } from '@teu/proto/engine';
import { BaseAction } from '@teu/proto/event';
import type { ContainerEntry } from '../container-entry.js';
import type { EngineParts } from '../engine-parts.js';
import { announceBase } from './base-events.js';

/** Name of the container in which an edit is made: it can be told from what is on record. */
export function editContainerName(editId: string): string {
  return `base-edit-${editId.slice(0, 12)}`;
}

/**
 * Merges what an edit has changed. It is on record, so after a crash this is done once more, which does no harm.
 * @throws CONFLICT if somebody has started the container meanwhile; what the driver says
 */
export async function mergeEdit(
  parts: EngineParts,
  edit: BaseEdit,
  entry: ContainerEntry,
  exit: ContainerExit | undefined,
): Promise<BaseEdit> {
  return entry.mutex.run(async () => {
    const ended = entry.container.exit?.exitTime?.getTime();
    const isSame = exit === undefined || ended === exit.exitTime?.getTime();
    if (entry.removed || entry.running || !isSame) {
      const text = `container ${entry.id} of the edit was removed or started again by somebody`;
      throw teuError('CONFLICT', text, { metadata: { container: entry.id } });
    }
    const client = parts.drivers.get(edit.driver);
    const { snapshotKey } = entry.container;
    await parts.pool.without(() => client.mergeIntoParent(snapshotKey, edit.chainId));
    failpoint('engine.edit.after-merge');
    const merged = { ...edit, editTime: clock.now() };
    parts.store.transaction(() => {
      parts.edits.setMerged(merged);
      announceBase(parts, {
        action: BaseAction.BASE_ACTION_EDITED,
        upgradeId: edit.id,
        oldImageId: edit.imageId,
        containerCount: edit.containerCount,
        comment: edit.reason,
        paths: edit.paths,
      });
    });
    failpoint('engine.edit.after-record');
    return merged;
  });
}

/** Whether it is not known if a driver has merged. */
export function isMergeDoubtful(error: unknown): boolean {
  return !isTeuError(error) || error.reason === 'DRIVER_UNAVAILABLE' || error.status === 'INTERNAL';
}
