import { teuError } from '@teu/errors';
import type { Mount } from '@teu/proto/snapshots';
import { Capability } from '@teu/proto/storage';
import {
  deleteTree,
  diskError,
  type DiskUsage,
  type Inventory,
  LayerDirectories,
  type SnapshotPlace,
  type SnapshotQuota,
  type StorageDriver,
} from '@teu/snapshots';
import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { KernelError, type NativeProgram } from '../../native-program.js';
import { StagingFolders } from './staging-folders.js';

/** No limit of the file system: as many as the other drivers take, so that images can move. */
const MAX_LAYER_COUNT = 128;
/** For what the kernel does in one transaction, which may first have to write much of others'. */
const SHORT_MS = 60_000;
/** For what takes as long as there is data. */
const LONG_MS = 30 * 60_000;
/** What is still mounted somewhere is freed when that ends, and nobody is to wait for it. */
const SETTLE_MS = 5000;
/** Subvolumes waited for in one request: a request is a line of at most 4096 bytes. */
const SETTLE_BATCH = 100;
/** Subvolumes looked at before others get a turn: about two milliseconds. */
const LOOKS_PER_TURN = 256;
/** Number of the root directory of every subvolume (BTRFS_FIRST_FREE_OBJECTID). */
const ROOT_INODE = 256;
const UNWRITTEN = 'the data of the snapshot could not be made durable; it stays active';

/**
 * Every snapshot is a subvolume: one without a parent is new, one with a parent is a snapshot of the
 * parent's. A view of a parent shows the parent's.
 */
export class BtrfsDriver implements StorageDriver {
  readonly name = 'btrfs';
  readonly capabilities: readonly Capability[] = [
    Capability.CAPABILITY_SHARED_DISK,
    Capability.CAPABILITY_QUOTA,
    Capability.CAPABILITY_XATTRS,
    Capability.CAPABILITY_EXACT_ATTRIBUTES,
    Capability.CAPABILITY_ALL_NAMES,
    Capability.CAPABILITY_HARD_LINKS_ACROSS_LAYERS,
  ];
  readonly maxLayerCount = MAX_LAYER_COUNT;
  readonly backingFilesystem = 'btrfs';
  readonly quota: SnapshotQuota;
  readonly #directories: LayerDirectories;
  readonly #staging: StagingFolders;
  readonly #removing: string;
  readonly #program: NativeProgram;
  /** Subvolumes that are deleted and were still in use when they were last looked at. */
  #inUse: number[] = [];

  /** @param program - Working on `root`; closed with the driver. */
  constructor(root: string, program: NativeProgram) {
    this.#directories = new LayerDirectories(root);
    this.#removing = join(root, 'removing');
    this.#staging = new StagingFolders(root);
    this.#staging.publish(join(root, 'l'), this.#removing);
    this.#program = program;
    this.quota = {
      set: (id, bytes) => this.#setLimit(id, bytes),
      get: async (id) => {
        const [limitBytes = 0, usedBytes = 0] = await this.#ask(LONG_MS, 'quota', nameOf(id));
        return { limitBytes, usedBytes };
      },
    };
  }

  async create(place: SnapshotPlace): Promise<void> {
    if (!this.ownsStorage(place)) return;
    const [parent] = place.parentIds;
    const name = nameOf(place.id);
    const staged = this.#staging.nameOf(place.id);
    const words =
      parent === undefined ? ['create', name] : ['snapshot', nameOf(parent), staged, name];
    try {
      await this.#ask(SHORT_MS, ...words);
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) throw error;
      await this.discard(place.id);
      await this.#destroy(staged);
      await this.#ask(SHORT_MS, ...words);
    }
  }

  mounts(place: SnapshotPlace): Mount[] {
    const shown = this.ownsStorage(place) ? place.id : (place.parentIds[0] ?? place.id);
    const options = ['rbind', place.writable ? 'rw' : 'ro'];
    return [{ type: 'bind', source: this.#directories.layer(shown), target: '', options }];
  }

  async persist(): Promise<void> {
    try {
      await this.#ask(LONG_MS, 'sync');
    } catch (error) {
      const told = diskError(error, UNWRITTEN);
      throw told instanceof KernelError
        ? teuError('STORAGE_FAILED', UNWRITTEN, { cause: told })
        : told;
    }
  }

  async usage(id: number): Promise<DiskUsage> {
    return await this.#measure(nameOf(id));
  }

  /** A view of a parent shows the parent's subvolume: nobody can write to either. */
  ownsStorage(place: SnapshotPlace): boolean {
    return place.writable || place.parentIds.length === 0;
  }

  /** A directory in the place of a subvolume holds nothing that was ever acknowledged. */
  async inventory(): Promise<Inventory> {
    const { complete, incomplete, foreign } = this.#directories.inventory();
    const [whole, other] = [new Set<number>(), new Set(incomplete)];
    let looked = 0;
    for (const id of complete) {
      if (++looked % LOOKS_PER_TURN === 0) await setImmediate();
      const is = subvolumeState(this.#directories.layer(id));
      if (is !== 'gone') (is === 'subvolume' ? whole : other).add(id);
    }
    return { complete: whole, incomplete: other, foreign };
  }

  async discard(id: number): Promise<void> {
    try {
      this.#directories.discard(id);
    } catch (error) {
      if (!hasCode(error, 'ENOSPC')) throw error;
      // A rename wants space, and a deletion may take from what the kernel keeps back for it.
      await this.#destroy(nameOf(id));
    }
  }

  /**
   * Deletes what was put away, and waits until its blocks are free if nobody uses them any more. One
   * that fails stops no other.
   */
  async reclaim(): Promise<void> {
    const freed: number[] = [];
    const failures: unknown[] = [];
    for (const name of readdirSync(this.#removing)) {
      try {
        freed.push(...(await this.#destroy(`removing/${name}`)));
      } catch (error) {
        failures.push(error);
      }
    }
    const inUse = await this.#settle(0, this.#inUse);
    this.#inUse = [...inUse, ...(await this.#settle(SETTLE_MS, freed))];
    if (failures.length > 0) throw new AggregateError(failures, 'subvolumes were not deleted');
  }

  overhead(): Promise<DiskUsage> {
    return this.#directories.overhead();
  }

  async discardedUsage(): Promise<DiskUsage> {
    let [bytes, inodes] = [0, 0];
    for (const name of readdirSync(this.#removing)) {
      const usage = await this.#measure(`removing/${name}`);
      bytes += usage.bytes;
      inodes += usage.inodes;
    }
    return { bytes, inodes };
  }

  withTree<T>(id: number, work: (directory: string) => Promise<T>): Promise<T> {
    return work(this.#directories.layer(id));
  }

  close(): Promise<void> {
    return this.#program.close();
  }

  #ask(timeoutMs: number, ...words: readonly string[]): Promise<number[]> {
    return this.#program.request(timeoutMs, ...words);
  }

  /** Nothing where there is no subvolume, as for a view of a parent. */
  async #measure(name: string): Promise<DiskUsage> {
    try {
      const [bytes = 0, inodes = 0] = await this.#ask(LONG_MS, 'usage', name);
      return { bytes, inodes };
    } catch (error) {
      if (hasCode(error, 'ENOENT', 'EINVAL')) return { bytes: 0, inodes: 0 };
      throw error;
    }
  }

  async #setLimit(id: number, bytes: number): Promise<void> {
    try {
      await this.#ask(LONG_MS, 'limit', nameOf(id), String(bytes));
    } catch (error) {
      throw diskError(error, 'the limit of the snapshot could not be set');
    }
  }

  /** Waits until subvolumes are freed, at most about so long. Returns those that are not. */
  async #settle(timeoutMs: number, ids: readonly number[]): Promise<number[]> {
    const left: number[] = [];
    const deadline = performance.now() + timeoutMs;
    for (let at = 0; at < ids.length; at += SETTLE_BATCH) {
      const batch = ids.slice(at, at + SETTLE_BATCH).map(String);
      const waitMs = Math.max(0, Math.round(deadline - performance.now()));
      left.push(...(await this.#ask(LONG_MS, 'settle', String(waitMs), ...batch)));
    }
    return left;
  }

  /** Returns the ids of the subvolumes that the kernel is freeing now. */
  async #destroy(name: string): Promise<number[]> {
    try {
      return await this.#ask(LONG_MS, 'destroy', name);
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return [];
      // An ordinary directory, or a name that no driver gives.
      if (!hasCode(error, 'EINVAL', 'ENOTDIR', 'EPROTO')) throw error;
      await deleteTree(join(this.#removing, '..', name));
      return [];
    }
  }
}

/** Name of a snapshot's subvolume, as the program wants it: see LayerDirectories. */
function nameOf(id: number): string {
  return `l/${id.toString(36)}`;
}

function subvolumeState(path: string): 'subvolume' | 'other' | 'gone' {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return 'gone';
  return found.isDirectory() && found.ino === ROOT_INODE ? 'subvolume' : 'other';
}

function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return codes.includes((error as NodeJS.ErrnoException | undefined)?.code ?? '');
}
