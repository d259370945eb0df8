import type { UpdateSnapshotRequest, UpdateSnapshotResponse } from '@teu/proto/snapshots';
import { invalid } from '../snapshots/check-input.js';
import type { SnapshotContext } from '../snapshots/context.js';
import { infoOf } from '../snapshots/info.js';
import { updateLabels } from '../snapshots/update-labels.js';

export function updateSnapshot(
  context: SnapshotContext,
  { info, updateMask }: UpdateSnapshotRequest,
): UpdateSnapshotResponse {
  if (info === undefined) throw invalid('info', 'info is missing');
  const record = updateLabels(context, info.name, info.labels, updateMask ?? []);
  return { info: infoOf(record) };
}
