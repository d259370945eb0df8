import type { Layer, LoadStep } from '@teu/proto/image';

/** Tells how far a load has come. */
export type ReportProgress = (
  step: LoadStep,
  digest: string,
  currentBytes: number,
  totalBytes: number,
) => void;

/** What is known of a layer's blob once it is in its place. */
export type StoredBlob = Pick<Layer, 'diffId' | 'digest' | 'mediaType' | 'blobBytes'>;

/** What one load holds on to while it runs. */
export interface LoadScope {
  /** Name of the storage driver; empty for the default one. */
  driver: string;
  /** Directory of its own, on the file system of the blobs. */
  staging: string;
  requestId: string;
  signal: AbortSignal;
  report: ReportProgress;
  /** Keeps a blob or a layer from being collected until the load has ended. */
  pin(key: string): void;
  /** A blob is in its place and waits to be recorded. */
  ingested(digest: string, size: number): void;
  /** Layers that this load has brought in, by diff id: images of one archive share them. */
  layers: Map<string, StoredBlob>;
}
