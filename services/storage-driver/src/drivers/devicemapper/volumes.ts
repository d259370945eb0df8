import { teuError } from '@teu/errors';
import { tryPatiently } from '../patience.js';
import type { PendingRemovals } from '../pending-removals.js';
import { KeyedQueue } from './keyed-queue.js';
import type { Figures, ThinPool } from './thin-pool.js';
import { BASE, frozenVolumeOf, volumeOf } from './volume-ids.js';

/**
 * The volumes of snapshots: which are there, which are active, and what is in them. One thing is done to
 * a snapshot at a time.
 */
export class Volumes {
  readonly pool: ThinPool;
  readonly removals: PendingRemovals;
  readonly #queue = new KeyedQueue();
  readonly #present = new Set<number>();
  /** Snapshots that somebody was told how to mount: their devices stay. */
  readonly #shown = new Set<number>();
  /** Of snapshots that do not change any more. */
  readonly #figures = new Map<number, Figures>();
  #base: Promise<Figures> | undefined;

  constructor(pool: ThinPool, removals: PendingRemovals) {
    this.pool = pool;
    this.removals = removals;
  }

  /** Has a volume known that is in the pool. */
  add(volume: number): void {
    this.#present.add(volume);
  }

  has(volume: number): boolean {
    return this.#present.has(volume);
  }

  /** Volume that has what a snapshot holds for those that stand on it. */
  contentOf(id: number): number {
    const frozen = frozenVolumeOf(id);
    return this.#present.has(frozen) ? frozen : volumeOf(id);
  }

  /** Does one thing to a snapshot when others are done. */
  exclusively<T>(id: number, task: () => Promise<T>): Promise<T> {
    return this.#queue.run(id, task);
  }

  /** Makes the volume of a snapshot, as a copy of another's. @throws KernelError */
  async make(id: number, origin: number): Promise<void> {
    const volume = volumeOf(id);
    await this.pool.snapshot(origin, volume);
    this.#present.add(volume);
  }

  /** Makes the device of a snapshot, which stays until it is removed. */
  async show(id: number, access: 'ro' | 'rw'): Promise<string> {
    this.#shown.add(id);
    await this.pool.activate(volumeOf(id), access);
    return this.pool.device(volumeOf(id));
  }

  /**
   * Makes the state of now the one that others stand on, and durable.
   *
   * One that is mounted somewhere has its file system frozen for as long as it takes to copy the volume,
   * so the copy is as after an unmount; whoever goes on writing writes to a volume that is nobody's then.
   */
  async freeze(id: number): Promise<void> {
    const volume = volumeOf(id);
    const frozen = frozenVolumeOf(id);
    this.#figures.delete(id);
    await this.pool.release(volume);
    if (this.#present.delete(frozen)) await this.removals.remove(frozen);
    await this.pool.activate(volume, 'rw');
    if ((await this.pool.timesOpened(volume)) === 0) {
      await this.pool.settle(volume);
    } else {
      await this.pool.snapshot(volume, frozen);
      this.#present.add(frozen);
    }
    this.#figures.set(id, await this.#measure(id));
  }

  /** Figures of a snapshot as it is. */
  async figures(id: number): Promise<Figures> {
    return await this.exclusively(id, () => this.#measure(id));
  }

  /** Figures of a snapshot that does not change any more; of the base for undefined. */
  async lastingFigures(id: number | undefined): Promise<Figures> {
    if (id === undefined) return await (this.#base ??= this.#measureVolume(BASE, false));
    const known = this.#figures.get(id) ?? (await this.figures(id));
    this.#figures.set(id, known);
    return known;
  }

  /** Lets `work` see the tree of a committed snapshot, which nobody else sees meanwhile. */
  async withTree<T>(
    id: number,
    access: 'ro' | 'rw',
    work: (root: string) => Promise<T>,
  ): Promise<T> {
    const volume = this.contentOf(id);
    return await this.exclusively(id, async () => {
      this.dropUnfrozen(id);
      this.#shown.delete(id);
      await this.pool.activate(volume, 'rw');
      try {
        await this.#untilClosed(volume);
        try {
          return await work(await this.pool.hold(volume, access));
        } finally {
          await this.pool.release(volume);
          if (access === 'rw') await this.pool.settle(volume);
        }
      } finally {
        await this.pool.deactivate(volume);
      }
    });
  }

  /** Has the volume go that a commit has copied while it was mounted. */
  dropUnfrozen(id: number): void {
    if (this.contentOf(id) !== volumeOf(id)) this.#remove(volumeOf(id));
  }

  /** Has the copy go that a commit has made which came to nothing. */
  dropFrozen(id: number): void {
    this.#remove(frozenVolumeOf(id));
  }

  /** Has all volumes of a snapshot go. */
  drop(id: number): void {
    this.#shown.delete(id);
    this.#figures.delete(id);
    this.#remove(volumeOf(id));
    this.#remove(frozenVolumeOf(id));
  }

  /** Deactivates all, unless one of them is open. Returns whether none is active any more. */
  async deactivateUnused(): Promise<boolean> {
    const active = await this.pool.active();
    for (const volume of active) {
      if (((await this.pool.timesOpened(volume)) ?? 0) > 0) return false;
    }
    for (const volume of active) await this.pool.deactivate(volume);
    return true;
  }

  #remove(volume: number): void {
    if (this.#present.delete(volume)) this.removals.add(volume);
  }

  /** Whoever has it open might write to it. */
  async #untilClosed(volume: number): Promise<void> {
    const isClosed = async (): Promise<boolean> => (await this.pool.timesOpened(volume)) === 0;
    if (await tryPatiently(isClosed)) return;
    throw teuError('CONFLICT', 'a committed snapshot is still mounted where it was made');
  }

  async #measure(id: number): Promise<Figures> {
    const volume = this.contentOf(id);
    return await this.#measureVolume(volume, volume === volumeOf(id) && this.#shown.has(id));
  }

  /** @param stays - Whether the device is there to stay. */
  async #measureVolume(volume: number, stays: boolean): Promise<Figures> {
    const wasActive = stays || (await this.pool.timesOpened(volume)) !== undefined;
    if (!wasActive) await this.pool.activate(volume, 'rw');
    try {
      return await this.pool.measure(volume);
    } finally {
      if (!wasActive) await this.pool.deactivate(volume);
    }
  }
}
