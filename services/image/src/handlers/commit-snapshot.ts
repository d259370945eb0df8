import type { CommitSnapshotRequest, CommitSnapshotResponse } from '@teu/proto/image';
import type { CallContext } from '@teu/rpc';
import { commitSnapshot } from '../operations/commit-snapshot.js';
import type { ImageParts } from '../operations/image-parts.js';
import { toImage } from './image-message.js';

export function commitSnapshotHandler(parts: ImageParts) {
  return async (
    request: CommitSnapshotRequest,
    { requestId, signal }: CallContext,
  ): Promise<CommitSnapshotResponse> => ({
    image: toImage(await commitSnapshot(parts, request, requestId, signal)),
  });
}
