import { teuError } from '@teu/errors';
import { requireDigest, digestOf } from '../domain/digest.js';
import { parseExact } from '../domain/exact-json.js';
import type { ImageRecord } from '../domain/image-record.js';
import type { ImageDocuments } from '../domain/rebuilt-documents.js';
import { DOCUMENT_BYTES_MAX, parseDocument } from '../domain/strict-json.js';
import type { ImageParts } from './image-parts.js';

/** The documents of an image as they came. */
export interface DocumentBytes {
  config: Uint8Array;
  manifest: Uint8Array;
}

/**
 * Reads the documents of an image, byte by byte.
 * @throws BLOB_NOT_FOUND, DIGEST_MISMATCH if the disk has changed them
 */
export async function readDocumentBytes(
  parts: Pick<ImageParts, 'blobs'>,
  { id, manifestDigest }: Pick<ImageRecord, 'id' | 'manifestDigest'>,
): Promise<DocumentBytes> {
  const [config, manifest] = await Promise.all([
    readBlob(parts, id, 'the config'),
    readBlob(parts, manifestDigest, 'the manifest'),
  ]);
  return { config, manifest };
}

/**
 * Reads what an image says of itself.
 * @throws BLOB_NOT_FOUND, DIGEST_MISMATCH if the disk has changed it
 */
export async function readDocuments(
  parts: Pick<ImageParts, 'blobs'>,
  image: ImageRecord,
): Promise<ImageDocuments> {
  const { config, manifest } = await readDocumentBytes(parts, image);
  for (const bytes of [config, manifest]) parseDocument(bytes, 'a document of the image');
  const diffIds = image.layers.map(({ diffId }) => diffId);
  return { config: parseExact(config), manifest: parseExact(manifest), diffIds };
}

/** Reads a small blob whole. @throws as readDocuments */
export async function readBlob(
  { blobs }: Pick<ImageParts, 'blobs'>,
  digest: string,
  what: string,
): Promise<Uint8Array> {
  const file = await blobs.open(digest);
  try {
    const { size } = await file.stat();
    if (size > DOCUMENT_BYTES_MAX) {
      throw teuError('DATA_LOSS', `${what} of the image has grown`, { metadata: { digest } });
    }
    const bytes = await file.readFile();
    requireDigest(what, digest, digestOf(bytes));
    return bytes;
  } finally {
    await file.close();
  }
}
