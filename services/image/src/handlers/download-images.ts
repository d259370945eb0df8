import type { DownloadImagesRequest, DownloadImagesResponse } from '@teu/proto/image';
import type { CallContext } from '@teu/rpc';
import type { ImageParts } from '../operations/image-parts.js';
import { downloadImages } from '../operations/save-images.js';
import { inMessages } from './data-messages.js';

export function downloadImagesHandler(parts: ImageParts) {
  return async function* (
    request: DownloadImagesRequest,
    { signal }: CallContext,
  ): AsyncIterable<DownloadImagesResponse> {
    for await (const data of inMessages(downloadImages(parts, request, signal))) yield { data };
  };
}
