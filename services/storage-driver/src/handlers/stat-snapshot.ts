import type { StatSnapshotRequest, StatSnapshotResponse } from '@teu/proto/snapshots';
import { findSnapshot, infoOf, type SnapshotContext } from '@teu/snapshots';

export function statSnapshot(
  context: SnapshotContext,
  { key }: StatSnapshotRequest,
): StatSnapshotResponse {
  return { info: infoOf(findSnapshot(context, key)) };
}
