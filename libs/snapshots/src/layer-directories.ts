import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { deleteTree } from './delete-tree.js';
import { BLOCK_BYTES, walkUsage } from './disk-walk.js';
import type { DiskUsage, Inventory } from './driver.js';

/** Owner and mode of the root of a layer. */
interface RootAttributes {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

const DEFAULT_ATTRIBUTES: RootAttributes = { mode: 0o755, uid: 0, gid: 0 };
const MODE_BITS = 0o7777;

/**
 * The directories of a driver that keeps layers as plain trees:
 *
 *   l/<id>        what is in the layer; the upper directory while it is written to
 *   w/<id>        work directory of the overlay, on the same file system
 *   removing/     what was taken out of sight and waits to be deleted
 *
 * Ids are in base 36, so that 128 lower directories fit the one page that mount(2) takes.
 */
export class LayerDirectories {
  readonly #removing: string;
  readonly #root: string;
  readonly #layers: string;
  readonly #works: string;

  /** @param root - Directory of the driver; made private, with what belongs in it. */
  constructor(root: string) {
    this.#root = root;
    this.#layers = join(root, 'l');
    this.#works = join(root, 'w');
    this.#removing = join(root, 'removing');
    for (const path of [root, this.#layers, this.#works, this.#removing]) {
      mkdirSync(path, { recursive: true, mode: 0o700 });
      chmodSync(path, 0o700);
    }
  }

  layer(id: number): string {
    return `${this.#layers}/${id.toString(36)}`;
  }

  work(id: number): string {
    return `${this.#works}/${id.toString(36)}`;
  }

  /**
   * Makes the empty directories of a layer. Its root looks like that of its parent, because the root
   * of an overlay is the upper one.
   */
  create(id: number, parentId: number | undefined): void {
    const layer = this.layer(id);
    const wanted = parentId === undefined ? DEFAULT_ATTRIBUTES : lstatSync(this.layer(parentId));
    try {
      mkdirSync(layer, 0o700);
      mkdirSync(this.work(id), 0o700);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      this.discard(id);
      mkdirSync(layer, 0o700);
      mkdirSync(this.work(id), 0o700);
    }
    if (wanted.uid !== process.geteuid?.() || wanted.gid !== process.getegid?.()) {
      chownSync(layer, wanted.uid, wanted.gid);
    }
    chmodSync(layer, wanted.mode & MODE_BITS);
  }

  /** An id is complete with both directories. Names that are no ids are not ours and stay. */
  inventory(): Inventory {
    const complete = new Set<number>();
    const incomplete = new Set<number>();
    const foreign: string[] = [];
    const works = new Set(readdirSync(this.#works));
    for (const name of readdirSync(this.#layers)) {
      const id = idOf(name);
      if (id === undefined) foreign.push(join('l', name));
      else (works.delete(name) ? complete : incomplete).add(id);
    }
    for (const name of works) {
      const id = idOf(name);
      if (id === undefined) foreign.push(join('w', name));
      else incomplete.add(id);
    }
    return { complete, incomplete, foreign };
  }

  /** Takes a layer out of sight, by two renames. A name left in `removing` by an id is replaced. */
  discard(id: number): void {
    this.#setAside(this.layer(id), 'l');
    this.#setAside(this.work(id), 'w');
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

  /** Measures the work directories, which count for no snapshot, and the directories of all. */
  async overhead(): Promise<DiskUsage> {
    const works = await walkUsage(this.#works);
    const others = [this.#root, this.#layers, this.#removing];
    const blocks = others.reduce((sum, path) => sum + lstatSync(path).blocks, 0);
    return { bytes: works.bytes + blocks * BLOCK_BYTES, inodes: works.inodes + others.length };
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

function idOf(name: string): number | undefined {
  const id = Number.parseInt(name, 36);
  return Number.isSafeInteger(id) && id > 0 && id.toString(36) === name ? id : undefined;
}
