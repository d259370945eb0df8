import {
  Kind,
  type PrepareSnapshotResponse,
  type PrepareSnapshotRequest,
} from '@teu/proto/snapshots';
import type { CallContext } from '@teu/rpc';
import { createSnapshot, type SnapshotContext } from '@teu/snapshots';

export async function prepareSnapshot(
  context: SnapshotContext,
  { key, parent, labels }: PrepareSnapshotRequest,
  caller: CallContext,
): Promise<PrepareSnapshotResponse> {
  return {
    mounts: await createSnapshot(context, { kind: Kind.ACTIVE, key, parent, labels, caller }),
  };
}
