import type { Compression } from '../domain/media-types.js';
import type { Incoming } from '../registry/downloads.js';
import type { BlobPlace } from './image-files.js';

/** A layer before it is in the store. What is undefined is found out while it is read. */
export interface SourceLayer {
  place: () => Promise<BlobPlace>;
  /** Given if it is on its way from a registry, into a file of the store. */
  incoming?: () => Promise<Incoming>;
  compression: Compression;
  mediaType?: string;
  digest?: string;
  size?: number;
  diffId?: string;
}

/** A small document and its digest. */
export interface SourceDocument {
  bytes: Uint8Array;
  digest: string;
}

/** An image before it is in the store. */
export interface SourceImage {
  /** Undefined for a plain root file system: it is written once the layer's digest is known. */
  config?: SourceDocument;
  /** Undefined if the archive has none. */
  manifest?: SourceDocument;
  layers: SourceLayer[];
  /** Names that the archive gives it, normalised. */
  names: string[];
}
