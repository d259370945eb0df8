import { Kind, type ViewSnapshotRequest, type ViewSnapshotResponse } from '@teu/proto/snapshots';
import type { CallContext } from '@teu/rpc';
import { createSnapshot, type SnapshotContext } from '@teu/snapshots';

export async function viewSnapshot(
  context: SnapshotContext,
  { key, parent, labels }: ViewSnapshotRequest,
  caller: CallContext,
): Promise<ViewSnapshotResponse> {
  return {
    mounts: await createSnapshot(context, { kind: Kind.VIEW, key, parent, labels, caller }),
  };
}
