import type { FileHandle } from 'node:fs/promises';
import { teuError } from '@teu/errors';
import { ArchiveFormat, type SaveProgress, type SaveResult } from '@teu/proto/image';
import { planArchive, type ArchivePlan, type SavedForm } from '../archive/archive-pieces.js';
import type { SavedImage } from '../archive/saved-image.js';
import { manifestMediaType } from '../domain/manifest-type.js';
import { chooseImages, type ChosenImage } from './choose-images.js';
import { readDocumentBytes } from './image-documents.js';
import type { ImageParts } from './image-parts.js';
import { writeFileWhole } from './saved-file.js';

/** Which images, and in what form. */
export interface SaveRequest {
  references: readonly string[];
  format: ArchiveFormat;
}

/** What a save needs to know of its caller. */
export interface SaveContext {
  signal: AbortSignal;
  report: (progress: SaveProgress) => void;
}

/**
 * Writes images to a file. Layers are written as they came, each once.
 * @throws INVALID_ARGUMENT, INVALID_ID, IMAGE_NOT_FOUND, AMBIGUOUS_REFERENCE, DIGEST_MISMATCH if the disk has changed a blob,
 *   STORAGE_FULL, STORAGE_FAILED; then nothing was written
 */
export async function saveImages(
  parts: ImageParts,
  request: SaveRequest & { path: string },
  { signal, report }: SaveContext,
): Promise<SaveResult> {
  return withPlan(parts, request, (plan, blobs) =>
    writeFileWhole(parts, request.path, async (file) => {
      const progress = (currentBytes: number): void =>
        report({ currentBytes, totalBytes: plan.size });
      progress(0);
      const { bytes, digest } = await parts.packer.toFile({ plan, blobs, file, signal, progress });
      return { totalBytes: bytes, digest };
    }),
  );
}

/** Gives the same bytes as they are asked for. What ends without error is whole. */
export async function* downloadImages(
  parts: ImageParts,
  request: SaveRequest,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  const held = await holdImages(parts, request);
  try {
    yield* parts.packer.stream({ plan: held.plan, blobs: held.blobs, signal });
  } finally {
    await held.release();
  }
}

async function withPlan<T>(
  parts: ImageParts,
  request: SaveRequest,
  work: (plan: ArchivePlan, blobs: FileHandle) => Promise<T>,
): Promise<T> {
  const held = await holdImages(parts, request);
  try {
    return await work(held.plan, held.blobs);
  } finally {
    await held.release();
  }
}

interface HeldImages {
  plan: ArchivePlan;
  blobs: FileHandle;
  release(): Promise<void>;
}

/** Keeps the blobs of images from being collected, also if the images are removed meanwhile. */
async function holdImages(parts: ImageParts, request: SaveRequest): Promise<HeldImages> {
  const form = formOf(request.format);
  const chosen = chooseImages(parts.images, request.references);
  const pinned = chosen.flatMap(({ image }) => [
    image.id,
    image.manifestDigest,
    ...image.layers.map(({ digest }) => digest),
  ]);
  for (const digest of pinned) parts.pins.pin(digest);
  try {
    for (const digest of pinned) parts.blobs.requireUndamaged(digest);
    const images: SavedImage[] = [];
    for (const one of chosen) images.push(await describe(parts, one));
    const blobs = await parts.blobs.openDirectory();
    const release = async (): Promise<void> => {
      parts.pins.release(pinned);
      await blobs.close();
    };
    return { plan: planArchive(images, form), blobs, release };
  } catch (error) {
    parts.pins.release(pinned);
    throw error;
  }
}

function formOf(format: ArchiveFormat): SavedForm {
  switch (format) {
    case ArchiveFormat.ARCHIVE_FORMAT_UNSPECIFIED:
    case ArchiveFormat.ARCHIVE_FORMAT_DOCKER:
      return 'docker';
    case ArchiveFormat.ARCHIVE_FORMAT_OCI_LAYOUT:
      return 'oci';
    default:
      throw teuError('INVALID_ARGUMENT', 'images can be saved as docker archive or OCI layout', {
        metadata: { field: 'format' },
      });
  }
}

async function describe(parts: ImageParts, { image, names }: ChosenImage): Promise<SavedImage> {
  const { manifest, config } = await readDocumentBytes(parts, image);
  return {
    manifest: {
      digest: image.manifestDigest,
      size: manifest.length,
      mediaType: manifestMediaType(manifest),
    },
    config: { digest: image.id, size: config.length },
    layers: image.layers.map(({ digest, blobBytes }) => ({ digest, size: blobBytes })),
    names,
  };
}
