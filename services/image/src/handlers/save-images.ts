import type {
  SaveImagesRequest,
  SaveImagesResponse,
  SaveProgress,
  SaveResult,
} from '@teu/proto/image';
import type { CallContext } from '@teu/rpc';
import type { ImageParts } from '../operations/image-parts.js';
import { saveImages } from '../operations/save-images.js';
import { streamWork } from './work-stream.js';

export function saveImagesHandler(parts: ImageParts) {
  return async function* (
    request: SaveImagesRequest,
    { signal }: CallContext,
  ): AsyncIterable<SaveImagesResponse> {
    const told = streamWork<SaveProgress, SaveResult>((report) =>
      saveImages(parts, request, { signal, report }),
    );
    for await (const { progress, result } of told) {
      if (progress) yield { event: { $case: 'progress', value: progress } };
      if (result) yield { event: { $case: 'result', value: result } };
    }
  };
}
