import type { RebuildImageRequest, RebuildImageResponse } from '@teu/proto/image';
import type { CallContext } from '@teu/rpc';
import type { ImageParts } from '../operations/image-parts.js';
import { rebuildImage } from '../operations/rebuild-image.js';
import { toImage } from './image-message.js';

export function rebuildImageHandler(parts: ImageParts) {
  return async (
    request: RebuildImageRequest,
    { requestId }: CallContext,
  ): Promise<RebuildImageResponse> => ({
    image: toImage(await rebuildImage(parts, request, requestId)),
  });
}
