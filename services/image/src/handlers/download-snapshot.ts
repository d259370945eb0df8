import type { DownloadSnapshotRequest, DownloadSnapshotResponse } from '@teu/proto/image';
import type { CallContext } from '@teu/rpc';
import { downloadSnapshot } from '../operations/export-snapshot.js';
import type { ImageParts } from '../operations/image-parts.js';
import { inMessages } from './data-messages.js';

export function downloadSnapshotHandler(parts: ImageParts) {
  return async function* (
    request: DownloadSnapshotRequest,
    { signal }: CallContext,
  ): AsyncIterable<DownloadSnapshotResponse> {
    for await (const data of inMessages(downloadSnapshot(parts, request, signal))) yield { data };
  };
}
