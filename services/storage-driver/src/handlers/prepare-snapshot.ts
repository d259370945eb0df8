import {
  Kind,
  type PrepareSnapshotResponse,
  type PrepareSnapshotRequest,
} from '@teu/proto/snapshots';
import type { SnapshotContext } from '../snapshots/context.js';
import { createSnapshot } from '../snapshots/create-snapshot.js';

export async function prepareSnapshot(
  context: SnapshotContext,
  { key, parent, labels }: PrepareSnapshotRequest,
): Promise<PrepareSnapshotResponse> {
  return { mounts: await createSnapshot(context, { kind: Kind.ACTIVE, key, parent, labels }) };
}
