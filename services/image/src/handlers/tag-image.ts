import type { TagImageRequest, TagImageResponse } from '@teu/proto/image';
import type { CallContext } from '@teu/rpc';
import type { ImageParts } from '../operations/image-parts.js';
import { tagImage } from '../operations/tag-image.js';
import { toImage } from './image-message.js';

export function tagImageHandler(parts: ImageParts) {
  return async (
    { source, target }: TagImageRequest,
    { requestId }: CallContext,
  ): Promise<TagImageResponse> => {
    const image = tagImage(parts, source, target, requestId);
    await parts.watchers.announce();
    return { image: toImage(image) };
  };
}
