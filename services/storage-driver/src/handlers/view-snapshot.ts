import { Kind, type ViewSnapshotRequest, type ViewSnapshotResponse } from '@teu/proto/snapshots';
import type { SnapshotContext } from '../snapshots/context.js';
import { createSnapshot } from '../snapshots/create-snapshot.js';

export async function viewSnapshot(
  context: SnapshotContext,
  { key, parent, labels }: ViewSnapshotRequest,
): Promise<ViewSnapshotResponse> {
  return { mounts: await createSnapshot(context, { kind: Kind.VIEW, key, parent, labels }) };
}
