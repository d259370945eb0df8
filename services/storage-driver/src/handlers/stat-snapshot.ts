import type { StatSnapshotRequest, StatSnapshotResponse } from '@teu/proto/snapshots';
import type { SnapshotContext } from '../snapshots/context.js';
import { findSnapshot } from '../snapshots/find-snapshot.js';
import { infoOf } from '../snapshots/info.js';

export function statSnapshot(
  context: SnapshotContext,
  { key }: StatSnapshotRequest,
): StatSnapshotResponse {
  return { info: infoOf(findSnapshot(context, key)) };
}
