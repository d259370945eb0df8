import type { Mount } from '@teu/proto/snapshots';
import { Capability } from '@teu/proto/storage';
import {
  DirectoryStorage,
  type DiskUsage,
  LayerDirectories,
  type SnapshotPlace,
  type StorageDriver,
  walkUsage,
} from '@teu/snapshots';
import { checkMountable, overlayMounts } from './overlay-mounts.js';

/** Most layers that Docker's overlay2 stacks; images are built with that in mind. */
const MAX_LAYER_COUNT = 128;

/**
 * Layers as directories, stacked by the kernel's overlay file system: a container costs two empty
 * directories, and all containers of an image share its blocks and its page cache.
 */
export class Overlay2Driver extends DirectoryStorage implements StorageDriver {
  readonly name = 'overlay2';
  readonly capabilities: readonly Capability[] = [
    Capability.CAPABILITY_SHARED_DISK,
    Capability.CAPABILITY_SHARED_PAGE_CACHE,
    Capability.CAPABILITY_REBASE,
    Capability.CAPABILITY_XATTRS,
    Capability.CAPABILITY_EXACT_ATTRIBUTES,
  ];
  readonly maxLayerCount = MAX_LAYER_COUNT;
  readonly backingFilesystem: string;

  constructor(root: string, backingFilesystem: string) {
    super(new LayerDirectories(root, { work: true }));
    this.backingFilesystem = backingFilesystem;
  }

  create(place: SnapshotPlace): void {
    checkMountable(overlayMounts(this.directories, place));
    if (this.ownsStorage(place)) this.directories.create(place.id, place.parentIds[0]);
  }

  mounts(place: SnapshotPlace): Mount[] {
    return overlayMounts(this.directories, place);
  }

  usage(id: number, signal?: AbortSignal): Promise<DiskUsage> {
    return walkUsage(this.directories.layer(id), signal);
  }
}
