import { rmdir, stat } from 'node:fs/promises';
import type { Datasets } from './datasets.js';
import type { LayerDatasets } from './layer-datasets.js';
import { tryPatiently } from '../../patience.js';
import { runCommand } from './run-command.js';
import { within } from './time-limit.js';
import { isZfsFailure } from './zfs-failure.js';
import { zfsMounts } from './zfs-mounts.js';

const UMOUNT_PROGRAM = '/usr/bin/umount';
const UMOUNT_MS = 10_000;
/** A daemon of zfs-fuse that hangs does not answer. */
const STAT_MS = 10_000;
/** What was used is likely to be used again: sealed, viewed, or stood on. */
const LINGER_MS = 3_000;

/**
 * Which layers are mounted. Nothing is after a reboot, so every use of a layer makes sure of it. A
 * directory without its mount is removed, so that nobody takes it for the layer.
 */
export class LayerMounts {
  readonly #datasets: Datasets;
  readonly #layers: LayerDatasets;
  /** Layers that were told to others, who may go on using them. */
  readonly #shown = new Set<number>();
  readonly #users = new Map<number, number>();
  readonly #lingering = new Map<number, NodeJS.Timeout>();

  constructor(datasets: Datasets, layers: LayerDatasets) {
    this.#datasets = datasets;
    this.#layers = layers;
  }

  /** Mounts a layer for others, until it is hidden or dropped. Returns where it is. */
  async show(id: number): Promise<string> {
    this.#shown.add(id);
    const path = this.#layers.mountPoint(id);
    if (!(await this.#isMounted(path))) await this.#mount(id);
    return path;
  }

  /** Mounts a layer for as long as `work` takes. */
  async use<T>(id: number, work: (directory: string) => Promise<T>): Promise<T> {
    this.#users.set(id, (this.#users.get(id) ?? 0) + 1);
    try {
      await this.#mount(id);
      return await work(this.#layers.mountPoint(id));
    } finally {
      const left = (this.#users.get(id) ?? 1) - 1;
      if (left === 0) this.#users.delete(id);
      else this.#users.set(id, left);
      this.#unmountLater(id);
    }
  }

  /** Unmounts a layer that others need no more, after a while; one that is busy stays mounted. */
  hide(id: number): void {
    this.#shown.delete(id);
    this.#unmountLater(id);
  }

  /** Unmounts a layer that is to be destroyed. Returns whether it is not mounted by this driver now. */
  async drop(id: number): Promise<boolean> {
    this.#shown.delete(id);
    this.#stay(id);
    return await this.#datasets.change(() => this.#unmountIdle(id));
  }

  /** Unmounts nothing more: who starts next finds what is mounted and goes on with it. */
  close(): void {
    for (const id of [...this.#lingering.keys()]) this.#stay(id);
  }

  async #mount(id: number): Promise<void> {
    const path = this.#layers.mountPoint(id);
    this.#stay(id);
    let failure: unknown;
    const mounted = await tryPatiently(async () => {
      try {
        await this.#datasets.change(async (zfs) => {
          if (!(await this.#isMounted(path))) await zfs('mount', this.#layers.dataset(id));
        });
        return true;
      } catch (error) {
        // As long as zfs-fuse has not noticed that it was unmounted a moment ago.
        if (!isZfsFailure(error, 'busy')) throw error;
        failure = error;
        return false;
      }
    });
    if (!mounted) throw failure;
  }

  #unmountLater(id: number): void {
    this.#stay(id);
    const timer = setTimeout(() => {
      this.#lingering.delete(id);
      void this.#unmountUnused(id);
    }, LINGER_MS);
    this.#lingering.set(id, timer.unref());
  }

  #stay(id: number): void {
    clearTimeout(this.#lingering.get(id));
    this.#lingering.delete(id);
  }

  async #unmountUnused(id: number): Promise<void> {
    await this.#datasets.change(async () => {
      if (!this.#shown.has(id) && !this.#users.has(id)) await this.#unmountIdle(id);
    });
  }

  /** Returns whether it is unmounted; one in which a file is open is not. */
  async #unmountIdle(id: number): Promise<boolean> {
    const path = this.#layers.mountPoint(id);
    try {
      if (await this.#isMounted(path)) await unmount(path);
    } catch (error) {
      if (isZfsFailure(error, 'busy', 'timeout')) return false;
      throw error;
    }
    await within(UMOUNT_MS, `rmdir ${path}`, rmdir(path)).catch(() => undefined);
    return true;
  }

  /** A layer that is mounted is another file system than the directory around it. */
  async #isMounted(path: string): Promise<boolean> {
    try {
      const both = Promise.all([stat(path), stat(this.#layers.directory)]);
      const [layer, around] = await within(STAT_MS, `stat ${path}`, both);
      return layer.dev !== around.dev;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // What a daemon of zfs-fuse leaves when it dies.
      if (code === 'ENOTCONN') await this.#detach(path);
      else if (code !== 'ENOENT') throw error;
      return false;
    }
  }

  async #detach(path: string): Promise<void> {
    const isThere = zfsMounts().some(({ mountPoint }) => mountPoint === path);
    // Not by force: zfs-fuse keeps a file system that was forced off busy for ever.
    if (isThere) await unmount(path, '--lazy');
    await rmdir(path).catch(() => undefined);
  }
}

async function unmount(path: string, ...flags: string[]): Promise<void> {
  const args = ['--no-canonicalize', ...flags, '--', path];
  await runCommand(UMOUNT_PROGRAM, args, { timeoutMs: UMOUNT_MS });
}
