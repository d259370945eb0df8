import type { BlobRow } from '../store/blob-store.js';

/** Where blobs came from and can be had once more. */
export interface BlobOrigins {
  /**
   * Writes a blob to a new file, if it is known where it can be had. What comes need not be right: it is hashed.
   *
   * @param path - File to be made, on the file system of the blobs.
   * @returns false if nobody has it
   */
  fetch(blob: BlobRow, path: string, signal: AbortSignal): Promise<boolean>;
}
