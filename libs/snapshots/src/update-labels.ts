import { clock } from '@teu/ids';
import { checkLabels, checkName, invalid } from './check-input.js';
import type { SnapshotContext } from './context.js';
import { findSnapshot } from './find-snapshot.js';
import type { Labels, SnapshotRecord } from './record.js';

const ONE_LABEL = 'labels.';

/**
 * Changes labels, the only thing about a snapshot that can change.
 *
 * @param paths - Fields to change: "labels" for all of them, "labels.KEY" for one, which is removed
 *   if `labels` has no value for it. None means all.
 * @returns The snapshot after the change.
 * @throws SNAPSHOT_NOT_FOUND, INVALID_ARGUMENT for any other field
 */
export function updateLabels(
  context: SnapshotContext,
  name: string,
  labels: Labels,
  paths: readonly string[],
): SnapshotRecord {
  checkName(name, 'info.name');
  return context.records.transaction(() => {
    const record = findSnapshot(context, name);
    const merged = checkLabels(mergeLabels(record, labels, paths));
    const at = clock.now();
    context.records.setLabels(record.id, merged, at);
    return { ...record, labels: merged, updatedAt: at };
  });
}

function mergeLabels(record: SnapshotRecord, labels: Labels, paths: readonly string[]): Labels {
  if (paths.length === 0) return labels;
  let merged = record.labels;
  for (const path of paths) {
    if (path === 'labels') {
      merged = labels;
    } else if (path.startsWith(ONE_LABEL)) {
      const key = path.slice(ONE_LABEL.length);
      merged = { ...merged, [key]: labels[key] ?? '' };
    } else {
      throw invalid(
        'update_mask',
        `field "${path}" of snapshot "${record.name}" cannot be changed`,
      );
    }
  }
  return merged;
}
