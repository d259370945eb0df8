import type { LoadImageRequest, LoadImageResponse } from '@teu/proto/image';
import type { CallContext } from '@teu/rpc';
import type { ImageParts } from '../operations/image-parts.js';
import { loadImages } from '../operations/load-images.js';
import { streamLoad } from './progress-stream.js';

export function loadImageHandler(parts: ImageParts) {
  return (request: LoadImageRequest, context: CallContext): AsyncIterable<LoadImageResponse> => {
    const { requestId, signal } = context;
    return streamLoad((report) =>
      loadImages(parts, request, () => Promise.resolve(request.path), {
        requestId,
        signal,
        report,
      }),
    );
  };
}
