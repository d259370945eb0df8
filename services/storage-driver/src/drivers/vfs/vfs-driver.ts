import type { Mount } from '@teu/proto/snapshots';
import { Capability } from '@teu/proto/storage';
import {
  deleteTree,
  type DiskUsage,
  type Inventory,
  LayerDirectories,
  measureTree,
  type SnapshotPlace,
  type StorageDriver,
  syncFilesystem,
} from '@teu/snapshots';
import type { VfsHost } from './check-host.js';
import { copyTree } from './copy-tree.js';

/** No limit of the file system: as many as the other drivers take, so that images can move. */
const MAX_LAYER_COUNT = 128;

/**
 * Every snapshot is a whole tree, copied from its parent's. Needs nothing of the kernel, costs the
 * size of the image for each container, unless the file system lets files share blocks.
 */
export class VfsDriver implements StorageDriver {
  readonly name = 'vfs';
  readonly capabilities: readonly Capability[];
  readonly maxLayerCount = MAX_LAYER_COUNT;
  readonly backingFilesystem: string;
  readonly #directories: LayerDirectories;
  readonly #sharesBlocks: boolean;
  readonly #closing = new AbortController();
  readonly #copies = new Set<Promise<void>>();

  constructor(root: string, host: VfsHost) {
    this.backingFilesystem = host.filesystem;
    this.#sharesBlocks = host.sharesBlocks;
    this.capabilities = [
      Capability.CAPABILITY_HARD_LINKS_ACROSS_LAYERS,
      Capability.CAPABILITY_EXACT_ATTRIBUTES,
      Capability.CAPABILITY_ALL_NAMES,
      ...(host.keepsAttributes ? [Capability.CAPABILITY_XATTRS] : []),
      ...(host.sharesBlocks ? [Capability.CAPABILITY_SHARED_DISK] : []),
    ];
    this.#directories = new LayerDirectories(root, { staging: true });
  }

  /**
   * The copy is made elsewhere, made durable, and gets its name in one step: whatever has the name
   * of an id is whole, also after a power cut.
   */
  async create(place: SnapshotPlace): Promise<void> {
    const [parent] = place.parentIds;
    if (parent === undefined) this.#directories.create(place.id, undefined);
    else if (this.ownsStorage(place)) await this.#keepTrack(this.#copy(parent, place.id));
  }

  mounts(place: SnapshotPlace): Mount[] {
    const shown = this.ownsStorage(place) ? place.id : (place.parentIds[0] ?? place.id);
    const options = ['rbind', place.writable ? 'rw' : 'ro'];
    return [{ type: 'bind', source: this.#directories.layer(shown), target: '', options }];
  }

  async persist(id: number): Promise<void> {
    await syncFilesystem(this.#directories.layer(id));
  }

  /** The whole tree, but what it shares with others. */
  usage(id: number, signal?: AbortSignal): Promise<DiskUsage> {
    const options = { signal, exclusive: this.#sharesBlocks };
    return measureTree(this.#directories.layer(id), options);
  }

  /** A view of a parent shows the parent's tree: nobody can write to either. */
  ownsStorage(place: SnapshotPlace): boolean {
    return place.writable || place.parentIds.length === 0;
  }

  inventory(): Inventory {
    return this.#directories.inventory();
  }

  discard(id: number): void {
    this.#directories.discard(id);
  }

  reclaim(): Promise<void> {
    return this.#directories.reclaim();
  }

  overhead(): Promise<DiskUsage> {
    return this.#directories.overhead();
  }

  discardedUsage(): Promise<DiskUsage> {
    return this.#directories.discardedUsage();
  }

  withTree<T>(id: number, work: (directory: string) => Promise<T>): Promise<T> {
    return work(this.#directories.layer(id));
  }

  /** Ends copies that are being made, and waits until nothing is left of them. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.allSettled(this.#copies);
  }

  async #keepTrack(copy: Promise<void>): Promise<void> {
    this.#copies.add(copy);
    try {
      await copy;
    } finally {
      this.#copies.delete(copy);
    }
  }

  /** Deletes at once what there is of a copy that failed: the disk may be full of it. */
  async #copy(from: number, to: number): Promise<void> {
    const staged = this.#directories.stage(to);
    try {
      await copyTree(this.#directories.layer(from), staged, this.#closing.signal);
      await this.#directories.publish(staged, to);
    } catch (error) {
      await deleteTree(staged);
      throw error;
    }
  }
}
