import type { Mount } from '@teu/proto/snapshots';
import type { Capability } from '@teu/proto/storage';

/** What a driver is told about a snapshot. Everything on disk is named after `id`, never after a key. */
export interface SnapshotPlace {
  /** Number of the record; never used twice. */
  readonly id: number;
  /** Whether the snapshot may be written to. */
  readonly writable: boolean;
  /** Ids of the committed snapshots below, the nearest first. */
  readonly parentIds: readonly number[];
}

/** Disk use of one snapshot without its parents. */
export interface DiskUsage {
  /** Bytes of allocated blocks. */
  readonly bytes: number;
  /** Inodes; a file with several names counts once. */
  readonly inodes: number;
}

/**
 * The part of a storage driver that knows a file system. Keys, labels, kinds, durability of the
 * records and recovery are the business of the code around it. Methods are called with ids that were
 * checked; a method that returns a promise may take its time, the others are on the start path.
 */
export interface StorageDriver {
  readonly name: string;
  readonly capabilities: readonly Capability[];
  /** Most parents that a snapshot may stand on. */
  readonly maxLayerCount: number;
  /** Type of the file system below, for example "ext4". */
  readonly backingFilesystem: string;

  /**
   * Makes the storage of a new active snapshot or view. It is empty when this returns, also if
   * something of the same id lay there before. It need not be durable yet: `recover` makes it again.
   */
  create(place: SnapshotPlace): void | Promise<void>;
  /** Says what to mount, in order. Touches nothing. */
  mounts(place: SnapshotPlace): Mount[];
  /** Makes all that was written to a snapshot durable (data, names and attributes). */
  persist(id: number): Promise<void>;
  /** Measures a snapshot. */
  usage(id: number, signal?: AbortSignal): Promise<DiskUsage>;
  /** Whether the storage of a snapshot is there. */
  exists(place: SnapshotPlace): boolean;
  /** Ids that have storage, known or not. */
  storedIds(): number[];
  /** Takes the storage of an id out of sight, at once; does nothing if there is none. */
  discard(id: number): void;
  /** Frees what `discard` has put away. */
  reclaim(): Promise<void>;
  /** Measures what the driver keeps beside the snapshots and its records. */
  overhead(): Promise<DiskUsage>;
  /** Measures what `discard` has put away and `reclaim` has not freed yet. */
  discardedUsage(): Promise<DiskUsage>;
}
