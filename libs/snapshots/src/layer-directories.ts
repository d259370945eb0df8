import { randomId } from '@teu/ids';
import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { deleteTree } from './delete-tree.js';
import { BLOCK_BYTES } from './disk-walk.js';
import type { DiskUsage, Inventory } from './driver.js';
import { walkUsage } from './measure-tree.js';

/** Owner and mode of the root of a layer. */
interface RootAttributes {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

const DEFAULT_ATTRIBUTES: RootAttributes = { mode: 0o755, uid: 0, gid: 0 };
const MODE_BITS = 0o7777;

/** What a driver has beside its layers. */
export interface LayerDirectoriesOptions {
  /** A work directory for each layer, which overlay wants. */
  readonly work?: boolean;
  /** A place for layers that take long to make. */
  readonly staging?: boolean;
}

/**
 * The directories of a driver that keeps layers as plain trees:
 *
 *   l/<id>        what is in the layer; the upper directory while it is written to
 *   w/<id>        work directory of the overlay, on the same file system; only with `work`
 *   s/            layers that are not whole yet; only with `staging`
 *   removing/     what was taken out of sight and waits to be deleted
 *
 * Ids are in base 36, so that 128 lower directories fit the one page that mount(2) takes.
 */
export class LayerDirectories {
  readonly #removing: string;
  readonly #root: string;
  readonly #layers: string;
  readonly #works: string | undefined;
  readonly #staging: string | undefined;

  /** @param root - Directory of the driver; made private, with what belongs in it. */
  constructor(root: string, { work = false, staging = false }: LayerDirectoriesOptions = {}) {
    this.#root = root;
    this.#layers = join(root, 'l');
    this.#works = work ? join(root, 'w') : undefined;
    this.#staging = staging ? join(root, 's') : undefined;
    this.#removing = join(root, 'removing');
    for (const path of [root, this.#layers, this.#works, this.#staging, this.#removing]) {
      if (path === undefined) continue;
      mkdirSync(path, { recursive: true, mode: 0o700 });
      chmodSync(path, 0o700);
    }
    this.#sweepStaging();
  }

  layer(id: number): string {
    return `${this.#layers}/${id.toString(36)}`;
  }

  /** The work directory of a layer, for a driver that has them. */
  work(id: number): string {
    if (this.#works === undefined) throw new Error('this driver has no work directories');
    return `${this.#works}/${id.toString(36)}`;
  }

  /**
   * Names a path at which a layer can be made out of sight. It is new each time: a program that an
   * earlier process left behind may still be writing to the one that it was given.
   */
  stage(id: number): string {
    if (this.#staging === undefined) throw new Error('this driver has no staging directory');
    return `${this.#staging}/${id.toString(36)}.${randomId(6)}`;
  }

  /** Puts a staged layer in its place, in one durable step. What lay there is discarded. */
  async publish(staged: string, id: number): Promise<void> {
    const layer = this.layer(id);
    this.discard(id);
    renameSync(staged, layer);
    await syncDirectory(this.#layers);
  }

  /**
   * Makes the empty directories of a layer. Its root looks like that of its parent, because the root
   * of an overlay is the upper one.
   */
  create(id: number, parentId: number | undefined): void {
    const layer = this.layer(id);
    const wanted = parentId === undefined ? DEFAULT_ATTRIBUTES : lstatSync(this.layer(parentId));
    try {
      this.#makeEmpty(id);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      this.discard(id);
      this.#makeEmpty(id);
    }
    if (wanted.uid !== process.geteuid?.() || wanted.gid !== process.getegid?.()) {
      chownSync(layer, wanted.uid, wanted.gid);
    }
    chmodSync(layer, wanted.mode & MODE_BITS);
  }

  /** Gives the root of a layer the looks of its new parent's, unless they were changed since it was made. */
  followParent(id: number, oldParent: number | undefined, newParent: number | undefined): void {
    if (oldParent === undefined || newParent === undefined) return;
    const layer = this.layer(id);
    const [own, old] = [lstatSync(layer), lstatSync(this.layer(oldParent))];
    const isOwn = own.mode !== old.mode || own.uid !== old.uid || own.gid !== old.gid;
    if (isOwn) return;
    this.#copyLooks(newParent, layer);
  }

  /** Gives the root of a layer that was made without a parent the looks of one, unless they were changed since. */
  adoptParent(id: number, parentId: number): void {
    const layer = this.layer(id);
    const { mode, uid, gid } = lstatSync(layer);
    const isUnchanged =
      (mode & MODE_BITS) === DEFAULT_ATTRIBUTES.mode &&
      uid === DEFAULT_ATTRIBUTES.uid &&
      gid === DEFAULT_ATTRIBUTES.gid;
    if (isUnchanged) this.#copyLooks(parentId, layer);
  }

  #copyLooks(from: number, layer: string): void {
    const { mode, uid, gid } = lstatSync(this.layer(from));
    chownSync(layer, uid, gid);
    chmodSync(layer, mode & MODE_BITS);
  }

  /** An id is complete with all its directories. Names that are no ids are not ours and stay. */
  inventory(): Inventory {
    const complete = new Set<number>();
    const incomplete = new Set<number>();
    const foreign: string[] = [];
    const works = new Set(this.#works === undefined ? [] : readdirSync(this.#works));
    for (const name of readdirSync(this.#layers)) {
      const id = layerIdOf(name);
      const isWhole = this.#works === undefined || works.delete(name);
      if (id === undefined) foreign.push(join('l', name));
      else (isWhole ? complete : incomplete).add(id);
    }
    for (const name of works) {
      const id = layerIdOf(name);
      if (id === undefined) foreign.push(join('w', name));
      else incomplete.add(id);
    }
    return { complete, incomplete, foreign };
  }

  /** Takes a layer out of sight, by a rename for each directory. */
  discard(id: number): void {
    this.#setAside(this.layer(id), 'l');
    if (this.#works !== undefined) this.#setAside(this.work(id), 'w');
  }

  /** Deletes what was taken out of sight. */
  async reclaim(): Promise<void> {
    for (const name of readdirSync(this.#removing)) {
      await deleteTree(join(this.#removing, name));
    }
  }

  /** Measures what `discard` has put away. */
  async discardedUsage(): Promise<DiskUsage> {
    const { bytes, inodes } = await walkUsage(this.#removing);
    const own = lstatSync(this.#removing).blocks * BLOCK_BYTES;
    return { bytes: bytes - own, inodes: inodes - 1 };
  }

  /** Measures what belongs to no snapshot: the directories of all, and those for work and staging. */
  async overhead(): Promise<DiskUsage> {
    const own = [this.#root, this.#layers, this.#removing];
    let inodes = own.length;
    let bytes = own.reduce((sum, path) => sum + lstatSync(path).blocks, 0) * BLOCK_BYTES;
    for (const path of [this.#works, this.#staging]) {
      if (path === undefined) continue;
      const usage = await walkUsage(path);
      bytes += usage.bytes;
      inodes += usage.inodes;
    }
    return { bytes, inodes };
  }

  #makeEmpty(id: number): void {
    mkdirSync(this.layer(id), 0o700);
    if (this.#works !== undefined) mkdirSync(this.work(id), 0o700);
  }

  /** What was being made when the last process ended is nobody's. */
  #sweepStaging(): void {
    if (this.#staging === undefined) return;
    for (const name of readdirSync(this.#staging)) this.#setAside(join(this.#staging, name), 's');
  }

  #setAside(path: string, kind: string): void {
    for (let attempt = 0; ; attempt += 1) {
      const name = path.slice(path.lastIndexOf('/') + 1);
      const suffix = attempt === 0 ? '' : `.${attempt}`;
      try {
        renameSync(path, join(this.#removing, `${name}.${kind}${suffix}`));
        return;
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'ENOENT') return;
        if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
      }
    }
  }
}

/** Not on this thread: others wait for it. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** Id of the layer that has this name; undefined if no layer has such a name. */
export function layerIdOf(name: string): number | undefined {
  const id = Number.parseInt(name, 36);
  return Number.isSafeInteger(id) && id > 0 && id.toString(36) === name ? id : undefined;
}
