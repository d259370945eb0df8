import type {
  ExportSnapshotRequest,
  ExportSnapshotResponse,
  SaveProgress,
  SaveResult,
} from '@teu/proto/image';
import type { CallContext } from '@teu/rpc';
import { exportSnapshot } from '../operations/export-snapshot.js';
import type { ImageParts } from '../operations/image-parts.js';
import { streamWork } from './work-stream.js';

export function exportSnapshotHandler(parts: ImageParts) {
  return async function* (
    request: ExportSnapshotRequest,
    { signal }: CallContext,
  ): AsyncIterable<ExportSnapshotResponse> {
    const told = streamWork<SaveProgress, SaveResult>((report) =>
      exportSnapshot(parts, request, { signal, report }),
    );
    for await (const { progress, result } of told) {
      if (progress) yield { event: { $case: 'progress', value: progress } };
      if (result) yield { event: { $case: 'result', value: result } };
    }
  };
}
