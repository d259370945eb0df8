import { teuError } from '@teu/errors';
import type { Mount } from '@teu/proto/snapshots';
import { Capability } from '@teu/proto/storage';
import {
  type DiskUsage,
  type Inventory,
  type SnapshotPlace,
  type SnapshotQuota,
  type StorageDriver,
} from '@teu/snapshots';
import { KernelError } from '../../native-program.js';
import { PendingRemovals } from '../pending-removals.js';
import { mountOptions } from './filesystem-type.js';
import { Limits } from './limits.js';
import { isOwn, type PoolClaim } from './pool-claim.js';
import { storageError } from './storage-error.js';
import type { ThinPool } from './thin-pool.js';
import { BASE, snapshotOf, volumeOf } from './volume-ids.js';
import { deleteVolumes } from './volume-removal.js';
import { Volumes } from './volumes.js';

/** No limit of the pool: as many as the other drivers take, so that images can move. */
const MAX_LAYER_COUNT = 128;
/** What a file system writes for itself: the journal, and tables that were zero. */
const OWN_USE_BYTES = 20 << 20;

/** Every snapshot is a volume of a thin pool, a copy of its parent's or of an empty file system. */
export class DeviceMapperDriver implements StorageDriver {
  readonly name = 'devicemapper';
  readonly capabilities: readonly Capability[] = [
    Capability.CAPABILITY_SHARED_DISK,
    Capability.CAPABILITY_QUOTA,
    Capability.CAPABILITY_XATTRS,
    Capability.CAPABILITY_EXACT_ATTRIBUTES,
    Capability.CAPABILITY_HARD_LINKS_ACROSS_LAYERS,
    Capability.CAPABILITY_ALL_NAMES,
  ];
  readonly maxLayerCount = MAX_LAYER_COUNT;
  readonly backingFilesystem: string;
  readonly quota: SnapshotQuota;
  readonly #claim: PoolClaim;
  readonly #pool: ThinPool;
  readonly #volumes: Volumes;
  readonly #removals: PendingRemovals;
  readonly #limits: Limits;
  readonly #leastFree: number;
  readonly #parents = new Map<number, number | undefined>();
  /** Volumes that somebody else has made. */
  readonly #foreign = new Set<number>();

  /**
   * @param pool - Claimed, with a base; closed with the driver.
   * @param leastFreePercent - Of the pool, below which no snapshot is made.
   */
  constructor(root: string, pool: ThinPool, claim: PoolClaim, leastFreePercent: number) {
    this.backingFilesystem = claim.filesystem;
    this.#claim = claim;
    this.#pool = pool;
    this.#removals = new PendingRemovals((volumes) =>
      deleteVolumes(pool, claim.isInFiles, volumes),
    );
    this.#volumes = new Volumes(pool, this.#removals);
    this.#limits = new Limits(root);
    this.#leastFree = leastFreePercent / 100;
    this.quota = {
      set: (id, bytes) => this.#setLimit(id, bytes),
      get: async (id) => ({
        limitBytes: this.#limits.get(id) ?? 0,
        usedBytes: (await this.usage(id)).bytes,
      }),
    };
  }

  async create(place: SnapshotPlace): Promise<void> {
    const { id, parentIds } = place;
    const [parent] = parentIds;
    const origin = parent === undefined ? BASE : this.#volumes.contentOf(parent);
    await this.#refuseWhenFull();
    this.#parents.set(id, parent);
    try {
      await this.#volumes.exclusively(id, () => this.#make(id, origin));
    } catch (error) {
      throw storageError(error, 'the snapshot was not made');
    }
  }

  async mounts(place: SnapshotPlace): Promise<Mount[]> {
    const { id, writable } = place;
    const type = this.#claim.filesystem;
    try {
      const source = await this.#volumes.exclusively(id, async () => {
        const device = await this.#volumes.show(id, writable ? 'rw' : 'ro');
        if (writable) await this.#applyLimit(id);
        return device;
      });
      return [{ type, source, target: '', options: mountOptions(type, writable) }];
    } catch (error) {
      throw storageError(error, 'the snapshot cannot be mounted');
    }
  }

  async persist(id: number): Promise<void> {
    try {
      await this.#volumes.exclusively(id, () => this.#volumes.freeze(id));
    } catch (error) {
      const unwritten = 'the data of the snapshot could not be made durable; it stays active';
      throw storageError(error, unwritten);
    }
  }

  async usage(id: number): Promise<DiskUsage> {
    const volume = this.#volumes.contentOf(id);
    if (!this.#volumes.has(volume)) return { bytes: 0, inodes: 0 };
    const parent = this.#parents.get(id);
    try {
      const below = await this.#volumes.lastingFigures(parent);
      const own = await this.#volumes.figures(id);
      const grown = Math.max(0, own.usedBytes - below.usedBytes);
      // Counting what is its own is worth it only where that could be more.
      const isEnough = own.mappedBytes - OWN_USE_BYTES <= grown;
      const written = isEnough ? 0 : await this.#pool.ownBytes(volume);
      return {
        bytes: Math.max(grown, written - OWN_USE_BYTES),
        // The root of a tree without a parent is its own.
        inodes: Math.max(0, own.inodes - below.inodes) + (parent === undefined ? 1 : 0),
      };
    } catch (error) {
      throw storageError(error, 'the snapshot cannot be measured');
    }
  }

  /** Also a view: it is removed like any other then, and costs some entries in the pool's metadata. */
  ownsStorage(): boolean {
    return true;
  }

  async inventory(): Promise<Inventory> {
    const complete = new Set<number>();
    for (const found of await this.#pool.volumes()) {
      const { volume } = found;
      const id = snapshotOf(volume);
      if (!isOwn(this.#claim, found)) {
        this.#foreign.add(volume);
      } else if (id !== undefined && !this.#removals.has(volume)) {
        this.#volumes.add(volume);
        complete.add(id);
      }
    }
    const foreign = [...this.#foreign].map((volume) => `volume ${volume}`);
    return { complete, incomplete: new Set(), foreign };
  }

  known({ id, writable, parentIds }: SnapshotPlace): void {
    this.#parents.set(id, parentIds[0]);
    // A commit that a crash has interrupted is done anew, and one that it has not is done.
    if (writable) this.#volumes.dropFrozen(id);
    else this.#volumes.dropUnfrozen(id);
  }

  discard(id: number): void {
    this.#volumes.drop(id);
    this.#limits.delete(id);
    this.#parents.delete(id);
  }

  async reclaim(): Promise<void> {
    try {
      await this.#removals.run();
    } catch (error) {
      throw storageError(error, 'removed snapshots could not be deleted');
    }
  }

  /** The empty file system, and the pool's metadata. */
  async overhead(): Promise<DiskUsage> {
    const { blockBytes, usedMetadataBytes } = await this.#pool.status();
    const base = (await this.#pool.volumes()).find(({ volume }) => volume === BASE);
    return { bytes: (base?.mappedBlocks ?? 0) * blockBytes + usedMetadataBytes, inodes: 0 };
  }

  async discardedUsage(): Promise<DiskUsage> {
    let bytes = 0;
    for (const volume of this.#removals.ids()) bytes += await this.#pool.ownBytes(volume);
    return { bytes, inodes: 0 };
  }

  async availableBytes(): Promise<number> {
    const { bytes, usedBytes } = await this.#pool.status();
    return bytes - usedBytes;
  }

  withTree<T>(id: number, work: (directory: string) => Promise<T>, isMending = false): Promise<T> {
    return this.#volumes.withTree(id, isMending ? 'rw' : 'ro', work);
  }

  /** A volume that is none of ours stays: what is in it may be somebody's. */
  async removeForeign(name: string): Promise<void> {
    const text = `${name} of the pool ${this.#claim.pool} is not deleted: use dmsetup message`;
    throw teuError('INVALID_STATE', text);
  }

  /** A pool of files goes with its driver, unless somebody has a volume open. */
  async close(): Promise<void> {
    this.#removals.close();
    try {
      for (const id of this.#limits.ids()) await this.#pool.release(volumeOf(id));
      const isUnused = await this.#volumes.deactivateUnused();
      if (isUnused && this.#claim.isInFiles) await this.#pool.drop();
    } catch {
      // What is left is found by the next start, and in nobody's way.
    } finally {
      await this.#pool.close();
    }
  }

  async #make(id: number, origin: number): Promise<void> {
    try {
      await this.#volumes.make(id, origin);
    } catch (error) {
      if (!(error instanceof KernelError) || error.code !== 'EEXIST') throw error;
      if (this.#foreign.has(volumeOf(id))) throw taken(volumeOf(id));
      await this.#removals.remove(volumeOf(id));
      await this.#volumes.make(id, origin);
    }
  }

  /** Containers that run are to have what is left. */
  async #refuseWhenFull(): Promise<void> {
    const status = await this.#pool.status();
    if (status.mode === 'read-only' || status.mode === 'failed') {
      const text = `the thin pool is ${status.mode}: it has to be repaired (thin_check, thin_repair)`;
      throw teuError('STORAGE_FAILED', text);
    }
    const { bytes, usedBytes, metadataBytes, usedMetadataBytes } = status;
    const parts = [
      ['data', 1 - usedBytes / bytes],
      ['metadata', 1 - usedMetadataBytes / metadataBytes],
    ] as const;
    for (const [what, free] of parts) {
      if (free >= this.#leastFree && free > 0) continue;
      const percent = (part: number): string => `${(part * 100).toFixed(1)} %`;
      const text = `the snapshot was not made: ${percent(free)} of the thin pool's ${what} are free, and ${percent(this.#leastFree)} have to be`;
      throw teuError('STORAGE_FULL', text);
    }
  }

  async #setLimit(id: number, bytes: number): Promise<void> {
    try {
      await this.#volumes.exclusively(id, async () => {
        if (bytes === 0) this.#limits.delete(id);
        else this.#limits.set(id, bytes);
        await this.#pool.activate(volumeOf(id), 'rw');
        if (bytes === 0) await this.#pool.unlimit(volumeOf(id));
        else await this.#applyLimit(id);
      });
    } catch (error) {
      throw storageError(error, 'the limit of the snapshot could not be set');
    }
  }

  /** What the parents hold does not count. */
  async #applyLimit(id: number): Promise<void> {
    const bytes = this.#limits.get(id);
    if (bytes === undefined) return;
    const { usedBytes } = await this.#volumes.lastingFigures(this.#parents.get(id));
    await this.#pool.limit(volumeOf(id), usedBytes + bytes);
  }
}

function taken(volume: number): Error {
  const text = `the snapshot was not made: volume ${volume} of the thin pool is somebody else's`;
  return teuError('CONFLICT', text);
}
