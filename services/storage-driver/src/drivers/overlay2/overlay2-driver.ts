import type { Mount } from '@teu/proto/snapshots';
import { Capability, WhiteoutForm } from '@teu/proto/storage';
import {
  type DiskUsage,
  type Inventory,
  LayerDirectories,
  type SnapshotPlace,
  type SnapshotReparent,
  type StorageDriver,
  syncFilesystem,
  walkUsage,
} from '@teu/snapshots';
import { checkMountable, overlayMounts } from './overlay-mounts.js';

/** Most layers that Docker's overlay2 stacks; images are built with that in mind. */
const MAX_LAYER_COUNT = 128;

/**
 * Layers as directories, stacked by the kernel's overlay file system: a container costs two empty
 * directories, and all containers of an image share its blocks and its page cache.
 */
export class Overlay2Driver implements StorageDriver {
  readonly name = 'overlay2';
  readonly capabilities: readonly Capability[] = [
    Capability.CAPABILITY_SHARED_DISK,
    Capability.CAPABILITY_SHARED_PAGE_CACHE,
    Capability.CAPABILITY_REBASE,
    Capability.CAPABILITY_XATTRS,
    Capability.CAPABILITY_EXACT_ATTRIBUTES,
    Capability.CAPABILITY_ALL_NAMES,
    Capability.CAPABILITY_REPARENT,
    Capability.CAPABILITY_REPLACE,
  ];
  readonly maxLayerCount = MAX_LAYER_COUNT;
  readonly whiteoutForm = WhiteoutForm.WHITEOUT_FORM_OVERLAY;
  readonly backingFilesystem: string;
  /**
   * The upper directory stays, and another mount stacks it on other layers, which the kernel allows
   * while it is not mounted (Documentation/filesystems/overlayfs.rst, "Changes to underlying filesystems").
   */
  readonly reparent: SnapshotReparent = {
    check: (place) => checkMountable(overlayMounts(this.#directories, place)),
    apply: async (place, previous) => {
      this.#directories.followParent(place.id, previous?.parentIds[0], place.parentIds[0]);
      return false;
    },
  };
  readonly #directories: LayerDirectories;

  constructor(root: string, backingFilesystem: string) {
    this.backingFilesystem = backingFilesystem;
    this.#directories = new LayerDirectories(root, { work: true });
  }

  adoptParent(id: number, parentId: number): void {
    this.#directories.adoptParent(id, parentId);
  }

  create(place: SnapshotPlace): void {
    checkMountable(overlayMounts(this.#directories, place));
    if (this.ownsStorage(place)) this.#directories.create(place.id, place.parentIds[0]);
  }

  mounts(place: SnapshotPlace): Mount[] {
    return overlayMounts(this.#directories, place);
  }

  async persist(id: number): Promise<void> {
    await syncFilesystem(this.#directories.layer(id));
  }

  usage(id: number, signal?: AbortSignal): Promise<DiskUsage> {
    return walkUsage(this.#directories.layer(id), signal);
  }

  /** A view of layers needs no directory of its own: it mounts theirs. */
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
}
