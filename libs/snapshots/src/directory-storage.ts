import type { DiskUsage, Inventory, SnapshotPlace } from './driver.js';
import type { LayerDirectories } from './layer-directories.js';
import { syncFilesystem } from './sync-filesystem.js';

/** What is the same in every driver that keeps layers as plain directories. */
export abstract class DirectoryStorage {
  protected readonly directories: LayerDirectories;

  constructor(directories: LayerDirectories) {
    this.directories = directories;
  }

  async persist(id: number): Promise<void> {
    await syncFilesystem(this.directories.layer(id));
  }

  /** A view of a parent shows what its parents have: nobody can write to them. */
  ownsStorage(place: SnapshotPlace): boolean {
    return place.writable || place.parentIds.length === 0;
  }

  inventory(): Inventory {
    return this.directories.inventory();
  }

  discard(id: number): void {
    this.directories.discard(id);
  }

  reclaim(): Promise<void> {
    return this.directories.reclaim();
  }

  overhead(): Promise<DiskUsage> {
    return this.directories.overhead();
  }

  discardedUsage(): Promise<DiskUsage> {
    return this.directories.discardedUsage();
  }

  withTree<T>(id: number, work: (directory: string) => Promise<T>): Promise<T> {
    return work(this.directories.layer(id));
  }
}
