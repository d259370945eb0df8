/** A form in which the image's one layer is stored. */
export type Form = 'plain' | 'gzip' | 'zstd';

/** What is measured. */
export type Operation =
  'load plain' | 'load gzip' | 'load zstd' | 'pull' | 'pull again' | 'push' | 'save';

/** One way to keep images, on an empty store of its own. */
export interface ImageStore {
  /** Takes an image from an archive that is both a docker archive and an OCI image layout. */
  readonly load?: (archive: string, form: Form) => Promise<void>;
  /** Takes an image from a registry that speaks plain HTTP at 127.0.0.1. */
  readonly pull?: (name: string) => Promise<void>;
  /** Takes what `load` or `pull` has taken last to a registry, under this name. */
  readonly push?: (name: string) => Promise<void>;
  /** Writes what was taken last to a file that `load` reads. */
  readonly save?: (file: string) => Promise<void>;
  /** Processes whose memory is the engine's, while it works. Their children count as well. */
  pids(): number[];
  close(): Promise<void>;
}

/** Someone who is measured. */
export interface ImageContender {
  /** Name in the tables. */
  readonly name: string;
  /** What is run. */
  readonly how: string;
  /** Whether all is on the disk when it answers, by its own promise. */
  readonly isDurable: boolean;
  /** Opens an empty store in a directory on a file system of its own. */
  open(directory: string): Promise<ImageStore>;
}
