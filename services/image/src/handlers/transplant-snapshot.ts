import type { TransplantSnapshotRequest, TransplantSnapshotResponse } from '@teu/proto/image';
import type { CallContext } from '@teu/rpc';
import type { ImageParts } from '../operations/image-parts.js';
import { transplantSnapshot } from '../operations/transplant-snapshot.js';

export function transplantSnapshotHandler(parts: ImageParts) {
  return async (
    request: TransplantSnapshotRequest,
    { signal }: CallContext,
  ): Promise<TransplantSnapshotResponse> => ({
    changedCount: await transplantSnapshot(parts, request, signal),
  });
}
