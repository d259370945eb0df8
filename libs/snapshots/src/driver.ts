import type { Mount } from '@teu/proto/snapshots';
import type { Capability, WhiteoutForm } from '@teu/proto/storage';

/** What a driver is told about a snapshot. Everything on disk is named after `id`, never after a key. */
export interface SnapshotPlace {
  /** Number of the record; never used twice. */
  readonly id: number;
  /** Whether the snapshot may be written to. */
  readonly writable: boolean;
  /** Ids of the committed snapshots below, the nearest first. */
  readonly parentIds: readonly number[];
  /** Branches beside those, in the order of the list; absent for none. Only for a driver with `branches`. */
  readonly added?: readonly AddedBranch[];
}

/** A committed snapshot that is a branch of another one without being its parent. */
export interface AddedBranch {
  readonly id: number;
  /** Number of parents above it, at most; null if it is below all of them, however many there are. */
  readonly parentsAbove: number | null;
  /** Whether what looks like a whiteout in it hides what is below. */
  readonly hasWhiteouts: boolean;
}

/** Disk use of one snapshot without its parents. */
export interface DiskUsage {
  /** Bytes of allocated blocks. */
  readonly bytes: number;
  /** Inodes; a file with several names counts once. */
  readonly inodes: number;
}

/** What lies in a driver's storage. */
export interface Inventory {
  /** Ids whose storage is whole. */
  readonly complete: ReadonlySet<number>;
  /** Ids of which some part is missing. */
  readonly incomplete: ReadonlySet<number>;
  /** Names, relative to the driver's directory, of what no driver of this kind makes. */
  readonly foreign: readonly string[];
}

/** Limits of the size of snapshots, for a driver with CAPABILITY_QUOTA. */
export interface SnapshotQuota {
  /** Limits what a snapshot holds beside its parents. @param bytes - 0 for no limit */
  set(id: number, bytes: number): Promise<void>;
  get(id: number): Promise<{ limitBytes: number; usedBytes: number }>;
}

/** Putting a snapshot on other parents, for a driver with CAPABILITY_REPARENT. */
export interface SnapshotReparent {
  /** Refuses parents that could not be mounted. Changes nothing. */
  check(place: SnapshotPlace): void;
  /**
   * Does what has to be done when the record says that a snapshot has these parents. Also called at a
   * start, for every active snapshot of a driver with CAPABILITY_LIVE_REPARENT.
   *
   * @param previous - Where it stood before; undefined at a start.
   * @returns Whether mounts that exist show the parents.
   */
  apply(place: SnapshotPlace, previous: SnapshotPlace | undefined): Promise<boolean>;
}

/** Branches that are not parents, for a driver that serves teu.storage.v1.BranchService. */
export interface SnapshotBranches {
  /** Refuses branches that could not be mounted. Changes nothing. */
  check(place: SnapshotPlace): void;
  /** Has what is mounted show the branches of the record. Returns whether mounts that exist show them. */
  apply(place: SnapshotPlace): Promise<boolean>;
}

/** Changing a committed snapshot in place, for a driver with CAPABILITY_MERGE_INTO_PARENT. */
export interface SnapshotMerge {
  /**
   * Refuses a snapshot that somebody has mounted, and keeps others from it. Changes no data.
   *
   * @throws INVALID_STATE
   */
  begin(place: SnapshotPlace): Promise<void>;
  /**
   * Puts what was written to a snapshot into its nearest parent, durably, and leaves the snapshot empty.
   * After a crash it is called again, and goes on where that was.
   *
   * @returns How many names of the parent were written, changed or removed, as far as this call knows.
   */
  merge(place: SnapshotPlace): Promise<number>;
  /** Has every mount that exists show a committed snapshot as it is now. */
  refresh(id: number): Promise<void>;
}

/**
 * The part of a storage driver that knows a file system. Keys, labels, kinds, durability of the
 * records, manifests and recovery are the business of the code around it. Methods are called with ids
 * that were checked. `create` and `mounts` are on the start path, so a driver that need not wait does
 * not return a promise.
 */
export interface StorageDriver {
  readonly name: string;
  readonly capabilities: readonly Capability[];
  /** Most parents that a snapshot may stand on. */
  readonly maxLayerCount: number;
  /** Type of the file system below, for example "ext4". */
  readonly backingFilesystem: string;
  /** What does the work, where there are several ways; see teu.storage.v1.Driver. */
  readonly implementation?: string;
  /**
   * How a layer that is written without its parent says what it hides; see teu.storage.v1.Driver. Absent where it
   * cannot be written so.
   */
  readonly whiteoutForm?: WhiteoutForm;

  /**
   * Makes the storage of a new active snapshot or view. It is empty when this returns, also if
   * something of the same id lay there before. It need not be durable yet: `recover` makes it again.
   */
  create(place: SnapshotPlace): void | Promise<void>;
  /** Says what to mount, in order. Changes nothing that others can see. */
  mounts(place: SnapshotPlace): Mount[] | Promise<Mount[]>;
  /**
   * Makes all that was written to a snapshot durable (data, names and attributes), and whatever else
   * has to be before others can stand on it. After a crash it may be called once more, and the
   * snapshot may have been written to in between.
   */
  persist(id: number): Promise<void>;
  /** Measures a snapshot. */
  usage(id: number, signal?: AbortSignal): Promise<DiskUsage>;
  /** Whether a snapshot has storage of its own: a view may do with that of its parents. */
  ownsStorage(place: SnapshotPlace): boolean;
  /** Tells what is there, known or not. */
  inventory(): Inventory | Promise<Inventory>;
  /**
   * Tells of a snapshot that has a record and storage, for all there are; only at a start, after
   * `inventory` and before anything else. Absent where a driver has no use for it.
   */
  known?(place: SnapshotPlace): void;
  /** Takes the storage of an id out of sight, at once; does nothing if there is none. */
  discard(id: number): void | Promise<void>;
  /** Frees what `discard` has put away. */
  reclaim(): Promise<void>;
  /** Measures what the driver keeps beside the snapshots and its records. */
  overhead(): Promise<DiskUsage>;
  /** Measures what `discard` has put away and `reclaim` has not freed yet. */
  discardedUsage(): Promise<DiskUsage>;
  /**
   * Lets `work` look at the tree of a committed snapshot, or mend it. What it sees is what lies in the
   * storage of that id alone, in the form that it has there.
   *
   * @param work - Gets the path of the root of the tree, which is good until it returns.
   * @param isMending - Whether it may write there.
   */
  withTree<T>(id: number, work: (directory: string) => Promise<T>, isMending?: boolean): Promise<T>;
  /**
   * Removes something that `inventory` called foreign. Absent where those are files and directories
   * below the driver's own.
   */
  removeForeign?(name: string): Promise<void>;
  /** Bytes that are free for snapshots. Absent where that is what statfs(2) says of the driver's directory. */
  availableBytes?(): Promise<number>;
  /** Absent without CAPABILITY_QUOTA. */
  readonly quota?: SnapshotQuota;
  /** Absent without CAPABILITY_REPARENT. */
  readonly reparent?: SnapshotReparent;
  /** Absent without CAPABILITY_MERGE_INTO_PARENT. */
  readonly merge?: SnapshotMerge;
  /** Absent where there are no branches beside the parents. */
  readonly branches?: SnapshotBranches;
  /**
   * Gives the root of a snapshot that was made without a parent the looks of the one that it is about to be committed
   * on, unless it was changed since it was made. May be repeated. Absent without CAPABILITY_REBASE.
   */
  adoptParent?(id: number, parentId: number): void;
  /**
   * Told when an active snapshot has become immutable, for what the driver holds for its writers. A crash
   * can come before it; `settle` has to make up for that.
   */
  committed?(id: number): Promise<void>;
  /**
   * Told once at a start, before the first request, of every active snapshot and view that the records
   * have: whatever else the driver holds for others is nobody's any more.
   */
  settle?(places: Iterable<SnapshotPlace>): Promise<void>;
  /** Gives back what the driver holds while it is open (programs, mounts for its own use). */
  close?(): Promise<void>;
}
