/** A blob of the store, as archives name it. */
export interface SavedBlob {
  digest: string;
  /** Bytes. */
  size: number;
}

/** An image that goes into an archive. */
export interface SavedImage {
  manifest: SavedBlob & { mediaType: string };
  config: SavedBlob;
  /** From the base up. */
  layers: SavedBlob[];
  /** Names that the archive gives it, as they are kept, sorted. */
  names: string[];
}

/** Name of a blob's member in an archive (image-spec, image-layout.md). */
export function blobMember(digest: string): string {
  return `blobs/${digest.replace(':', '/')}`;
}
