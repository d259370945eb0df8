import { Buffer } from 'node:buffer';
import { blobMember, type SavedBlob, type SavedImage } from './saved-image.js';
import {
  dockerManifestDocument,
  indexDocument,
  layoutDocument,
  repositoriesDocument,
  type ArchiveDocument,
} from './saved-indexes.js';
import { TAR_BLOCK, tarHeader, tarPadding } from './tar-header.js';

/** What an archive consists of: bytes that are written as they are, and blobs of the store. */
export type ArchivePiece = { text: Buffer } | { blob: SavedBlob };

/** An archive before it is written. */
export interface ArchivePlan {
  pieces: ArchivePiece[];
  /** Bytes of the whole. */
  size: number;
}

/** Of these members docker's form has more; see README.md. */
export type SavedForm = 'docker' | 'oci';

/**
 * Lays an archive out: the indexes, then manifests and configs, then layers, each blob once, so that a reader of a stream knows what
 * comes before it comes. The same images give the same bytes, in whatever order they were named.
 */
export function planArchive(unsorted: readonly SavedImage[], form: SavedForm): ArchivePlan {
  const images = [...unsorted].sort(byManifest);
  const documents: (ArchiveDocument | undefined)[] = [layoutDocument(), indexDocument(images)];
  if (form === 'docker') {
    documents.push(dockerManifestDocument(images), repositoriesDocument(images));
  }
  const blobs = new Map<string, SavedBlob>();
  for (const { manifest, config } of images) {
    for (const blob of [manifest, config]) blobs.set(blob.digest, blob);
  }
  for (const blob of images.flatMap(({ layers }) => layers)) blobs.set(blob.digest, blob);
  const pieces = [
    ...documents.flatMap((document) => (document === undefined ? [] : documentPieces(document))),
    ...['blobs/', 'blobs/sha256/'].map((name) => ({ text: tarHeader(name, 0) })),
    ...[...blobs.values()].flatMap(blobPieces),
    { text: Buffer.alloc(2 * TAR_BLOCK) },
  ];
  return { pieces, size: pieces.reduce((sum, piece) => sum + sizeOf(piece), 0) };
}

function byManifest(one: SavedImage, other: SavedImage): number {
  return one.manifest.digest < other.manifest.digest ? -1 : 1;
}

function documentPieces({ name, bytes }: ArchiveDocument): ArchivePiece[] {
  return [
    { text: Buffer.concat([tarHeader(name, bytes.length), bytes, tarPadding(bytes.length)]) },
  ];
}

function blobPieces(blob: SavedBlob): ArchivePiece[] {
  const header = { text: tarHeader(blobMember(blob.digest), blob.size) };
  return [header, { blob }, { text: tarPadding(blob.size) }];
}

function sizeOf(piece: ArchivePiece): number {
  return 'text' in piece ? piece.text.length : piece.blob.size;
}
