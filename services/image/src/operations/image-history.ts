import type { HistoryEntry } from '@teu/proto/image';
import { readHistory } from '../domain/image-history.js';
import { findImage } from './find-image.js';
import { readDocumentBytes } from './image-documents.js';
import type { ImageParts } from './image-parts.js';

/**
 * Tells how an image came to be, newest step first, each with the layer that it made.
 * @throws IMAGE_NOT_FOUND, AMBIGUOUS_REFERENCE, BLOB_NOT_FOUND, DIGEST_MISMATCH
 */
export async function imageHistory(
  parts: Pick<ImageParts, 'blobs' | 'images'>,
  reference: string,
): Promise<HistoryEntry[]> {
  const { image } = findImage(parts.images, reference);
  const { config } = await readDocumentBytes(parts, image);
  const layers = image.layers.values();
  const entries = readHistory(config, image.layers.length).map((step): HistoryEntry => {
    const layer = step.isEmptyLayer ? undefined : layers.next().value;
    return {
      ...step,
      createTime: step.createTime,
      diffId: layer?.diffId ?? '',
      sizeBytes: layer?.sizeBytes ?? 0,
      references: layer === undefined ? [] : parts.images.namesEndingIn(layer.chainId),
    };
  });
  return entries.reverse();
}
