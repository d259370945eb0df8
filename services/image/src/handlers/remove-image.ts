import type { RemoveImageRequest, RemoveImageResponse } from '@teu/proto/image';
import type { CallContext } from '@teu/rpc';
import type { ImageParts } from '../operations/image-parts.js';
import { removeImage } from '../operations/remove-image.js';

export function removeImageHandler(parts: ImageParts) {
  return (
    { reference, force }: RemoveImageRequest,
    { requestId }: CallContext,
  ): Promise<RemoveImageResponse> => removeImage(parts, reference, force, requestId);
}
