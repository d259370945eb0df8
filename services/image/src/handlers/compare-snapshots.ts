import type { CompareSnapshotsRequest, CompareSnapshotsResponse } from '@teu/proto/image';
import type { CallContext } from '@teu/rpc';
import { compareSnapshots } from '../operations/compare-snapshots.js';
import type { ImageParts } from '../operations/image-parts.js';

export function compareSnapshotsHandler(parts: ImageParts) {
  return async function* (
    request: CompareSnapshotsRequest,
    { signal }: CallContext,
  ): AsyncGenerator<CompareSnapshotsResponse, void, undefined> {
    for await (const changes of compareSnapshots(parts, request, signal)) yield { changes };
  };
}
