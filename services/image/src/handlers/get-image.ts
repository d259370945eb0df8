import type { GetImageRequest, GetImageResponse } from '@teu/proto/image';
import { findImage } from '../operations/find-image.js';
import type { ImageParts } from '../operations/image-parts.js';
import { toImage } from './image-message.js';

export function getImageHandler({ images }: Pick<ImageParts, 'images'>) {
  return async ({ reference }: GetImageRequest): Promise<GetImageResponse> =>
    Promise.resolve({ image: toImage(findImage(images, reference).image) });
}
