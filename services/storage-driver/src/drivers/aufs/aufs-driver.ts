import type { Mount } from '@teu/proto/snapshots';
import type { Capability } from '@teu/proto/storage';
import { teuError } from '@teu/errors';
import {
  BLOCK_BYTES,
  type DiskUsage,
  type Inventory,
  LayerDirectories,
  type SnapshotBranches,
  type SnapshotMerge,
  type SnapshotPlace,
  type SnapshotReparent,
  type StorageDriver,
  syncFilesystem,
  walkUsage,
} from '@teu/snapshots';
import { lstatSync, mkdtempSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Branch, branchesOf, isUnion } from './branch.js';
import type { MergeProgram } from './merge-program.js';
import { storageError } from './storage-error.js';
import type { UnionBackend } from './union-backend.js';
import { Unions } from './unions.js';

/** As many as the other drivers take, so that images can move. */
const MAX_LAYER_COUNT = 128;

/** What a start has found out. */
export interface AufsHost {
  readonly backend: UnionBackend;
  readonly capabilities: readonly Capability[];
  readonly filesystem: string;
  readonly merge: MergeProgram;
}

/**
 * Layers as branches of a union, as AUFS has them: directories with whiteouts as files. A union is
 * mounted by this driver and shown by bind, so that its branches can be changed while it is in use.
 */
export class AufsDriver implements StorageDriver {
  readonly name = 'aufs';
  readonly capabilities: readonly Capability[];
  readonly maxLayerCount: number;
  readonly backingFilesystem: string;
  readonly implementation: string;
  readonly reparent: SnapshotReparent = {
    check: (place) => this.#checkCount(place),
    apply: async (place, previous) => {
      const [from, to] = [previous?.parentIds[0], place.parentIds[0]];
      if (from !== to) this.#directories.followParent(place.id, from, to);
      return await this.#follow(place);
    },
  };
  readonly branches: SnapshotBranches = {
    check: (place) => this.#checkCount(place),
    apply: (place) => this.#follow(place),
  };
  readonly merge: SnapshotMerge = {
    begin: (place) => this.#keepToSelf(place),
    merge: (place) => this.#merge(place),
    refresh: (id) => this.#unions.refresh(this.#directories.layer(id)),
  };
  readonly #directories: LayerDirectories;
  readonly #unions: Unions;
  readonly #merges: MergeProgram;
  readonly #maxBranches: number;
  /** Bytes of a directory with nothing in it: of a mount point, which the mount hides. */
  readonly #emptyBytes: number;
  /** Unions of snapshots that were removed. */
  readonly #dropped = new Set<number>();

  /** @param root - Directory of the driver, as the kernel names it: without links. */
  constructor(root: string, { backend, capabilities, filesystem, merge }: AufsHost) {
    this.capabilities = capabilities;
    this.backingFilesystem = filesystem;
    this.implementation = backend.implementation;
    this.#maxBranches = backend.maxBranches;
    this.maxLayerCount = Math.min(MAX_LAYER_COUNT, backend.maxBranches - 1);
    this.#directories = new LayerDirectories(root);
    this.#unions = new Unions(root, backend);
    this.#merges = merge;
    this.#emptyBytes = measureEmpty(root);
  }

  adoptParent(id: number, parentId: number): void {
    this.#directories.adoptParent(id, parentId);
  }

  /** The union too, so that whatever can fail has failed before there is a record. */
  async create(place: SnapshotPlace): Promise<void> {
    this.#checkCount(place);
    if (this.ownsStorage(place)) this.#directories.create(place.id, place.parentIds[0]);
    if (!isUnion(place)) return;
    await this.#told('the snapshot was not made', () => this.#show(place));
  }

  async mounts(place: SnapshotPlace): Promise<Mount[]> {
    if (isUnion(place)) {
      const source = await this.#told('the snapshot cannot be mounted', () => this.#show(place));
      return [bind(source, place.writable)];
    }
    const [shown = place.id] = place.writable ? [] : place.parentIds;
    return [bind(this.#directories.layer(shown), place.writable)];
  }

  async persist(id: number): Promise<void> {
    const unwritten = 'the data of the snapshot could not be made durable; it stays active';
    const mounted = await this.#told(unwritten, () => this.#unions.flush(id));
    // What was only changed in the memory of the union goes to the branch first.
    if (mounted !== undefined) await syncFilesystem(mounted);
    await syncFilesystem(this.#directories.layer(id));
  }

  /** Nobody is to write to it any more; whoever has it mounted still can look at it. */
  async committed(id: number): Promise<void> {
    await this.#unions.drop([id]);
  }

  usage(id: number, signal?: AbortSignal): Promise<DiskUsage> {
    return walkUsage(this.#directories.layer(id), signal);
  }

  /** A view of layers needs no directory of its own: it shows theirs. */
  ownsStorage(place: SnapshotPlace): boolean {
    return place.writable || place.parentIds.length === 0;
  }

  inventory(): Inventory {
    return this.#directories.inventory();
  }

  async settle(places: Iterable<SnapshotPlace>): Promise<void> {
    const wanted = new Map<number, readonly Branch[]>();
    for (const place of places) {
      if (isUnion(place)) wanted.set(place.id, branchesOf(this.#directories, place));
    }
    await this.#unions.adopt(wanted);
  }

  discard(id: number): void {
    this.#directories.discard(id);
    this.#dropped.add(id);
  }

  async reclaim(): Promise<void> {
    const ids = [...this.#dropped];
    this.#dropped.clear();
    await this.#unions.drop(ids);
    await this.#directories.reclaim();
  }

  async overhead(): Promise<DiskUsage> {
    const layers = await this.#directories.overhead();
    const { own, mountPointCount } = this.#unions.directories();
    const blocks = own.reduce((sum, path) => sum + lstatSync(path).blocks, 0);
    return {
      bytes: layers.bytes + blocks * BLOCK_BYTES + mountPointCount * this.#emptyBytes,
      inodes: layers.inodes + own.length + mountPointCount,
    };
  }

  discardedUsage(): Promise<DiskUsage> {
    return this.#directories.discardedUsage();
  }

  withTree<T>(id: number, work: (directory: string) => Promise<T>): Promise<T> {
    return work(this.#directories.layer(id));
  }

  async close(): Promise<void> {
    await this.#unions.releaseUnused();
  }

  #show(place: SnapshotPlace): Promise<string> {
    return this.#unions.show(place.id, branchesOf(this.#directories, place));
  }

  #follow(place: SnapshotPlace): Promise<boolean> {
    return this.#unions.follow(place.id, branchesOf(this.#directories, place));
  }

  /** @throws INVALID_ARGUMENT */
  #checkCount(place: SnapshotPlace): void {
    const count = branchesOf(this.#directories, place).length;
    if (count <= this.#maxBranches) return;
    const text = `a union of ${count} branches cannot be mounted: ${this.#maxBranches} are possible`;
    throw teuError('INVALID_ARGUMENT', text);
  }

  async #keepToSelf({ id }: SnapshotPlace): Promise<void> {
    const isFree = await this.#told('the snapshot cannot be merged', () =>
      this.#unions.release(id),
    );
    if (isFree) return;
    throw teuError('INVALID_STATE', 'the snapshot cannot be merged: somebody has it mounted');
  }

  async #merge(place: SnapshotPlace): Promise<number> {
    await this.#keepToSelf(place);
    const { id, parentIds } = place;
    const [parent] = parentIds;
    if (parent === undefined) throw new Error('there is nothing to merge into');
    const [upper, lower] = [this.#directories.layer(id), this.#directories.layer(parent)];
    const changed = await this.#merges.merge(upper, lower, parentIds.length === 1);
    await syncFilesystem(lower, 'what was merged could not be made durable');
    // Attributes of the root, and what the union has left for itself.
    this.#directories.create(id, parent);
    return changed;
  }

  async #told<T>(what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw storageError(error, what);
    }
  }
}

function bind(source: string, writable: boolean): Mount {
  return { type: 'bind', source, target: '', options: ['rbind', writable ? 'rw' : 'ro'] };
}

function measureEmpty(root: string): number {
  const path = mkdtempSync(join(root, '.empty-'));
  const { blocks } = lstatSync(path);
  rmdirSync(path);
  return blocks * BLOCK_BYTES;
}
