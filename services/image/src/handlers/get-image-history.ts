import type { GetImageHistoryRequest, GetImageHistoryResponse } from '@teu/proto/image';
import type { ImageParts } from '../operations/image-parts.js';
import { imageHistory } from '../operations/image-history.js';

export function getImageHistoryHandler(parts: ImageParts) {
  return async ({ reference }: GetImageHistoryRequest): Promise<GetImageHistoryResponse> => ({
    entries: await imageHistory(parts, reference),
  });
}
