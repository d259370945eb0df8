import type { UpdateSnapshotRequest, UpdateSnapshotResponse } from '@teu/proto/snapshots';
import { infoOf, invalid, type SnapshotContext, updateLabels } from '@teu/snapshots';

export function updateSnapshot(
  context: SnapshotContext,
  { info, updateMask }: UpdateSnapshotRequest,
): UpdateSnapshotResponse {
  if (info === undefined) throw invalid('info', 'info is missing');
  const record = updateLabels(context, info.name, info.labels, updateMask ?? []);
  return { info: infoOf(record) };
}
