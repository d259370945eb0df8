import { Buffer } from 'node:buffer';
import type { GetImageDocumentsRequest, GetImageDocumentsResponse } from '@teu/proto/image';
import { manifestMediaType } from '../domain/manifest-type.js';
import { findImage } from '../operations/find-image.js';
import { readDocumentBytes } from '../operations/image-documents.js';
import type { ImageParts } from '../operations/image-parts.js';

export function getImageDocumentsHandler(parts: Pick<ImageParts, 'blobs' | 'images'>) {
  return async ({ reference }: GetImageDocumentsRequest): Promise<GetImageDocumentsResponse> => {
    const { image } = findImage(parts.images, reference);
    const { manifest, config } = await readDocumentBytes(parts, image);
    return {
      manifest: Buffer.from(manifest),
      manifestMediaType: manifestMediaType(manifest),
      config: Buffer.from(config),
    };
  };
}
