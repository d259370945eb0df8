import { Kind, type ViewSnapshotRequest, type ViewSnapshotResponse } from '@teu/proto/snapshots';
import { createSnapshot, type SnapshotContext } from '@teu/snapshots';

export async function viewSnapshot(
  context: SnapshotContext,
  { key, parent, labels }: ViewSnapshotRequest,
): Promise<ViewSnapshotResponse> {
  return { mounts: await createSnapshot(context, { kind: Kind.VIEW, key, parent, labels }) };
}
