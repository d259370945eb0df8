import type { PrepareImageRequest, PrepareImageResponse } from '@teu/proto/image';
import type { CallContext } from '@teu/rpc';
import type { ImagePreparer } from '../operations/prepare-image.js';
import { toImage } from './image-message.js';

export function prepareImageHandler(preparer: ImagePreparer) {
  return async (
    { reference, driver }: PrepareImageRequest,
    { signal }: CallContext,
  ): Promise<PrepareImageResponse> => {
    const prepared = await preparer.prepare(reference, driver, signal);
    return { ...prepared, image: toImage(prepared.image) };
  };
}
