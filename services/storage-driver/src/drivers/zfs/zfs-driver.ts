import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { teuError } from '@teu/errors';
import type { Mount } from '@teu/proto/snapshots';
import { Capability } from '@teu/proto/storage';
import {
  type DiskUsage,
  type Inventory,
  measureTree,
  type SnapshotPlace,
  type SnapshotQuota,
  type StorageDriver,
  syncFilesystem,
} from '@teu/snapshots';
import { PendingRemovals } from '../pending-removals.js';
import { destroyLayers } from './dataset-removal.js';
import { bytesOf, type Datasets } from './datasets.js';
import { LayerDatasets, PROBE } from './layer-datasets.js';
import { LayerMounts } from './layer-mounts.js';
import { storageError } from './storage-error.js';
import { isZfsFailure } from './zfs-failure.js';

/** No limit of ZFS: as many as the other drivers take, so that images can move. */
const MAX_LAYER_COUNT = 128;
/** Layers are mounted by this driver, when they are wanted. */
const PROPERTIES = ['canmount=noauto'];

/** What a start has found out. */
export interface ZfsHost {
  readonly datasets: Datasets;
  /** Dataset for the driver; it exists, and `teu` below it. */
  readonly dataset: string;
  /** Capabilities beside those of every ZFS. */
  readonly capabilities: readonly Capability[];
  /** "zfs" or "fuse.zfs". */
  readonly filesystem: string;
}

/** Every active snapshot is a dataset, a clone of its parent's snapshot if it has a parent. */
export class ZfsDriver implements StorageDriver {
  readonly name = 'zfs';
  readonly capabilities: readonly Capability[];
  readonly maxLayerCount = MAX_LAYER_COUNT;
  readonly backingFilesystem: string;
  readonly quota: SnapshotQuota;
  readonly #datasets: Datasets;
  readonly #layers: LayerDatasets;
  readonly #mounts: LayerMounts;
  readonly #removals: PendingRemovals;
  /** Directory that a view of nothing shows. */
  readonly #empty: string;
  readonly #present = new Set<number>();
  readonly #persisting = new Map<number, Promise<void>>();
  /** Inodes of all of the tree, of layers that others stand on. */
  readonly #inodesOf = new Map<number, number>();

  constructor(root: string, host: ZfsHost) {
    this.capabilities = [
      Capability.CAPABILITY_SHARED_DISK,
      Capability.CAPABILITY_QUOTA,
      Capability.CAPABILITY_HARD_LINKS_ACROSS_LAYERS,
      Capability.CAPABILITY_ALL_NAMES,
      ...host.capabilities,
    ];
    this.backingFilesystem = host.filesystem;
    this.#datasets = host.datasets;
    this.#layers = new LayerDatasets(host.dataset, root);
    this.#mounts = new LayerMounts(host.datasets, this.#layers);
    const parts = { datasets: host.datasets, layers: this.#layers, mounts: this.#mounts };
    this.#removals = new PendingRemovals((ids) => destroyLayers(parts, ids));
    this.#empty = join(root, 'empty');
    mkdirSync(this.#empty, { recursive: true, mode: 0o755 });
    this.quota = {
      set: (id, bytes) => this.#setQuota(id, bytes),
      get: (id) => this.#getQuota(id),
    };
  }

  async create(place: SnapshotPlace): Promise<void> {
    if (!this.ownsStorage(place)) return;
    this.#present.add(place.id);
    try {
      await this.#make(place);
    } catch (error) {
      if (!isZfsFailure(error, 'exists')) throw storageError(error, 'the snapshot was not made');
      await this.#removals.remove(place.id);
      await this.#make(place);
    }
  }

  async mounts(place: SnapshotPlace): Promise<Mount[]> {
    const shown = place.writable ? place.id : place.parentIds[0];
    try {
      const source = shown === undefined ? this.#empty : await this.#mounts.show(shown);
      const options = ['rbind', place.writable ? 'rw' : 'ro'];
      return [{ type: 'bind', source, target: '', options }];
    } catch (error) {
      throw storageError(error, 'the snapshot cannot be mounted');
    }
  }

  async persist(id: number): Promise<void> {
    const persisting = this.#takeSnapshot(id);
    this.#persisting.set(id, persisting);
    try {
      await persisting;
    } catch (error) {
      const unwritten = 'the data of the snapshot could not be made durable; it stays active';
      throw storageError(error, unwritten);
    } finally {
      this.#persisting.delete(id);
    }
  }

  async usage(id: number, signal?: AbortSignal): Promise<DiskUsage> {
    if (!this.#present.has(id)) return { bytes: 0, inodes: 0 };
    try {
      const dataset = this.#layers.dataset(id);
      await this.#countAll(id);
      const [used, origin = ''] = await this.#datasets.get(dataset, 'used', 'origin');
      const parent = this.#layers.idOf(origin.slice(0, origin.lastIndexOf('@')));
      const inodes = await this.#inodes(id, signal);
      const below = parent === undefined ? 0 : await this.#inodesBelow(parent, signal);
      return { bytes: bytesOf(used), inodes: Math.max(0, inodes - below) };
    } catch (error) {
      throw storageError(error, 'the snapshot cannot be measured');
    }
  }

  /** A view shows the dataset of its parent, to which nobody writes. */
  ownsStorage(place: SnapshotPlace): boolean {
    return place.writable;
  }

  async inventory(): Promise<Inventory> {
    const complete = new Set<number>();
    const foreign: string[] = [];
    const { parent } = this.#layers;
    for (const dataset of (await this.#datasets.below(parent)) ?? []) {
      const id = this.#layers.idOf(dataset);
      const name = dataset.slice(parent.length + 1);
      if (id === undefined && name !== PROBE) foreign.push(name);
      else if (id !== undefined && !this.#removals.has(id)) complete.add(id);
    }
    for (const id of complete) this.#present.add(id);
    return { complete, incomplete: new Set(), foreign };
  }

  discard(id: number): void {
    this.#inodesOf.delete(id);
    if (this.#present.delete(id)) this.#removals.add(id);
  }

  async reclaim(): Promise<void> {
    try {
      await this.#removals.run();
    } catch (error) {
      throw storageError(error, 'removed snapshots could not be deleted');
    }
  }

  /** The dataset around the layers, and the directories that they are mounted in. */
  async overhead(): Promise<DiskUsage> {
    const bytes = await this.#datasets.sum([this.#layers.parent], 'usedbydataset');
    return { bytes, inodes: readdirSync(this.#layers.directory).length + 2 };
  }

  async discardedUsage(): Promise<DiskUsage> {
    const removed = this.#removals.ids().map((id) => this.#layers.dataset(id));
    return { bytes: await this.#datasets.sum(removed, 'used'), inodes: 0 };
  }

  /** Of the pool, which need not be where the records are. */
  async availableBytes(): Promise<number> {
    return bytesOf((await this.#datasets.get(this.#layers.parent, 'available'))[0]);
  }

  withTree<T>(id: number, work: (directory: string) => Promise<T>): Promise<T> {
    return this.#mounts.use(id, work);
  }

  /** A dataset that is none of ours stays: what is in it may be somebody's, and `zfs destroy` is quick. */
  async removeForeign(name: string): Promise<void> {
    const dataset = `${this.#layers.parent}/${name}`;
    throw teuError('INVALID_STATE', `dataset "${dataset}" is not destroyed: use zfs destroy`);
  }

  async close(): Promise<void> {
    this.#removals.close();
    this.#mounts.close();
  }

  async #make({ id, parentIds: [parent] }: SnapshotPlace): Promise<void> {
    const dataset = this.#layers.dataset(id);
    if (parent === undefined) await this.#datasets.create(dataset, PROPERTIES);
    else await this.#datasets.clone(this.#layers.dataset(parent), dataset, PROPERTIES);
  }

  async #inodes(id: number, signal: AbortSignal | undefined): Promise<number> {
    return await this.#mounts.use(id, async (root) => (await measureTree(root, { signal })).inodes);
  }

  async #takeSnapshot(id: number): Promise<void> {
    // A snapshot holds what ZFS was told; pages that were only changed in memory (mmap) go there first.
    await this.#mounts.use(id, syncFilesystem);
    await this.#datasets.commit(this.#layers.dataset(id));
    this.#mounts.hide(id);
  }

  /** Waits until ZFS has counted all; a commit, which measures at the same time, waits for that too. */
  async #countAll(id: number): Promise<void> {
    await Promise.resolve();
    const persisting = this.#persisting.get(id);
    if (persisting === undefined) await this.#datasets.sync(this.#layers.dataset(id));
    else await persisting.catch(() => undefined);
  }

  /** A parent does not change, so it is counted once. */
  async #inodesBelow(parent: number, signal: AbortSignal | undefined): Promise<number> {
    const known = this.#inodesOf.get(parent) ?? (await this.#inodes(parent, signal));
    this.#inodesOf.set(parent, known);
    return known;
  }

  async #setQuota(id: number, bytes: number): Promise<void> {
    const value = bytes === 0 ? 'none' : String(bytes);
    try {
      await this.#datasets.set(this.#layers.dataset(id), 'quota', value);
    } catch (error) {
      if (!isZfsFailure(error, 'below-use')) throw storageError(error, 'the limit was not set');
      const text = `a limit of ${bytes} bytes is less than the snapshot holds already`;
      throw teuError('INVALID_STATE', text, { cause: error });
    }
  }

  async #getQuota(id: number): Promise<{ limitBytes: number; usedBytes: number }> {
    const dataset = this.#layers.dataset(id);
    await this.#datasets.sync(dataset);
    const [limit, used] = await this.#datasets.get(dataset, 'quota', 'used');
    return { limitBytes: bytesOf(limit), usedBytes: bytesOf(used) };
  }
}
