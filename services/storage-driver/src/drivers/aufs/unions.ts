import { mkdirSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { layerIdOf, TaskQueue } from '@teu/snapshots';
import { ownMounts, type MountInfo } from '../mount-info.js';
import { sameBranches, type Branch } from './branch.js';
import { tryPatiently } from '../patience.js';
import { mountUses } from './mount-uses.js';
import { runMountProgram } from './mount-program.js';
import { isUnionError, type UnionBackend, type UnionPlace } from './union-backend.js';

/** Mount points that one umount(8) is given. */
const BATCH = 64;

/**
 * The unions that are mounted, each at a directory of its own, from which others bind. What is mounted
 * outlives this process, so the mount table says what there is, and memory only what is in it. Work on
 * one union is done in the order in which it was asked for.
 */
export class Unions {
  readonly #backend: UnionBackend;
  readonly #points: string;
  readonly #files: string;
  /** Branches that mounted unions have, of those that this process has looked at. */
  readonly #branches = new Map<number, readonly Branch[]>();
  readonly #queues = new Map<number, TaskQueue>();

  /** @param root - Directory of the driver, as the kernel names it: without links. */
  constructor(root: string, backend: UnionBackend) {
    this.#backend = backend;
    this.#points = join(root, 'm');
    this.#files = join(root, 'c');
    for (const path of [this.#points, this.#files]) {
      mkdirSync(path, { recursive: true, mode: 0o700 });
    }
  }

  /** Makes sure that a union is mounted. @returns Where it is */
  show(id: number, branches: readonly Branch[]): Promise<string> {
    return this.#queue(id).run(async () => {
      const place = this.#place(id);
      if (!makeDirectory(place.mountPoint) && (await this.#isThere(place, branches))) {
        return place.mountPoint;
      }
      await this.#backend.start(place, branches);
      this.#branches.set(id, branches);
      return place.mountPoint;
    });
  }

  /** Gives a union other branches, if it is mounted. @returns Whether no mount of it shows any others */
  follow(id: number, branches: readonly Branch[]): Promise<boolean> {
    return this.#queue(id).run(async () => {
      const place = this.#place(id);
      if (this.#mountAt(place) === undefined) return true;
      if (!(await this.#backend.isAlive(place))) return true;
      const isSet = await unlessEnded(this.#backend.set(place, branches), true);
      if (isSet) this.#branches.set(id, branches);
      return isSet;
    });
  }

  /** Makes what was written to a union good for being a layer. @returns Its mount point; undefined for none */
  flush(id: number): Promise<string | undefined> {
    return this.#queue(id).run(async () => {
      const place = this.#place(id);
      if (this.#mountAt(place) === undefined) return undefined;
      if (!(await this.#backend.isAlive(place))) return undefined;
      await this.#backend.flush(place);
      return place.mountPoint;
    });
  }

  /** Has every union that has a directory among its branches look at it afresh. */
  async refresh(path: string): Promise<void> {
    const concerned = [...this.#branches].filter(([, branches]) =>
      branches.some((branch) => branch.path === path),
    );
    await eachAtOnce(concerned, async ([id]) => {
      const place = this.#place(id);
      if (this.#mountAt(place) === undefined) return;
      if (!(await this.#backend.isAlive(place))) return;
      await unlessEnded(this.#backend.refresh(place), undefined);
    });
  }

  /** Unmounts a union if nobody else has it mounted or a file of it open. @returns Whether it is gone */
  release(id: number): Promise<boolean> {
    return this.#queue(id).run(async () => {
      let isUsed = false as boolean;
      // A namespace that was made a moment ago has copies of all mounts at their places, until its
      // process lets go of them.
      await tryPatiently(async () => {
        isUsed = this.#isMountedElsewhere(id);
        return isUsed || (await this.#releaseAll([id])).length === 0;
      });
      return !isUsed && !this.#mounted().has(id);
    });
  }

  /** Unmounts every union that nobody else uses. The others go on without this process. */
  async releaseUnused(): Promise<void> {
    await this.#releaseAll([...this.#mounted().keys()]);
  }

  /** Unmounts unions of which nothing is to be had any more; whoever still uses one keeps it until then. */
  async drop(ids: readonly number[]): Promise<void> {
    await this.#drop(ids);
    for (const id of ids) this.#queues.delete(id);
  }

  async #drop(ids: readonly number[]): Promise<void> {
    const mounted = this.#mounted();
    const present = ids.filter((id) => mounted.has(id));
    for (let at = 0; at < present.length; at += BATCH) {
      const paths = present.slice(at, at + BATCH).map((id) => this.#place(id).mountPoint);
      await runMountProgram('umount', ['--lazy', '--', ...paths]).catch(this.#unlessGone(paths));
    }
    await this.#forget(ids);
  }

  /**
   * Goes through what an earlier process has left: unions that are wanted and alive are kept and get
   * their branches, all others are unmounted.
   *
   * @param wanted - Branches of every union that may be mounted.
   */
  async adopt(wanted: ReadonlyMap<number, readonly Branch[]>): Promise<void> {
    const mounted = [...this.#mounted().keys()];
    const doomed: number[] = [];
    await eachAtOnce(mounted, async (id) => {
      const branches = wanted.get(id);
      if (branches === undefined || !(await this.#canKeep(id, branches))) doomed.push(id);
    });
    await this.drop(doomed);
    const kept = new Set(mounted);
    for (const name of readdirSync(this.#points)) {
      if (!kept.has(layerIdOf(name) ?? 0)) removeEmpty(join(this.#points, name));
    }
    for (const name of readdirSync(this.#files)) {
      if (!kept.has(layerIdOf(name) ?? 0)) rmSync(join(this.#files, name), { force: true });
    }
  }

  /** Directories that belong to no snapshot. */
  directories(): { readonly own: readonly string[]; readonly mountPointCount: number } {
    return {
      own: [this.#points, this.#files],
      mountPointCount: readdirSync(this.#points).length,
    };
  }

  /** Whether what is mounted there is good; what is dead is taken away. */
  async #isThere(place: UnionPlace, branches: readonly Branch[]): Promise<boolean> {
    if (this.#mountAt(place) === undefined) return false;
    const isKnown = this.#branches.has(place.id);
    const isGood = isKnown
      ? await this.#backend.isAlive(place)
      : await this.#hasBranches(place, branches);
    if (isGood) return true;
    await this.#drop([place.id]);
    makeDirectory(place.mountPoint);
    return false;
  }

  /** One that does not answer is kept: it may be slow, and somebody may stand on it. */
  async #canKeep(id: number, branches: readonly Branch[]): Promise<boolean> {
    try {
      return await this.#hasBranches(this.#place(id), branches);
    } catch (error) {
      if (isUnionError(error)) return true;
      throw error;
    }
  }

  async #hasBranches(place: UnionPlace, branches: readonly Branch[]): Promise<boolean> {
    if (!(await this.#backend.isAlive(place))) return false;
    const isSame = sameBranches(await this.#backend.branches(place), branches);
    if (!isSame) await this.#backend.set(place, branches);
    this.#branches.set(place.id, branches);
    return true;
  }

  /** @returns Those that are in use. */
  async #releaseAll(ids: readonly number[]): Promise<number[]> {
    const mounted = this.#mounted();
    const present = ids.filter((id) => mounted.has(id));
    const uses = present.length === 0 ? undefined : mountUses();
    const isFree = (id: number): boolean =>
      (uses?.get(mounted.get(id)?.device ?? '')?.count ?? 0) <= 1;
    const free = present.filter(isFree);
    const paths = free.map((id) => this.#place(id).mountPoint);
    for (let at = 0; at < paths.length; at += BATCH) {
      const batch = paths.slice(at, at + BATCH);
      await runMountProgram('umount', ['--', ...batch]).catch(this.#unlessGone(batch, 'EBUSY'));
    }
    const left = this.#mounted();
    await this.#forget(ids.filter((id) => !left.has(id)));
    return ids.filter((id) => left.has(id));
  }

  #isMountedElsewhere(id: number): boolean {
    const mount = this.#mounted().get(id);
    const use = mount && mountUses().get(mount.device);
    return use !== undefined && use.mountPoints.size > 1;
  }

  /** umount(8) complains about what somebody else has unmounted meanwhile, and goes on with the others. */
  #unlessGone(paths: readonly string[], ...codes: readonly string[]): (error: unknown) => void {
    return (error) => {
      if (isUnionError(error, ...codes) && codes.length > 0) return;
      const points = new Set(ownMounts().map(({ mountPoint }) => mountPoint));
      if (paths.some((path) => points.has(path))) throw error;
    };
  }

  async #forget(ids: readonly number[]): Promise<void> {
    await eachAtOnce(ids, async (id) => {
      const place = this.#place(id);
      this.#branches.delete(id);
      await this.#backend.ended(place);
      await rmdir(place.mountPoint).catch(() => undefined);
    });
  }

  /** Unions that are mounted at their places in this namespace. */
  #mounted(): Map<number, MountInfo> {
    const prefix = `${this.#points}/`;
    const found = new Map<number, MountInfo>();
    for (const mount of ownMounts()) {
      if (!mount.mountPoint.startsWith(prefix)) continue;
      const id = layerIdOf(mount.mountPoint.slice(prefix.length));
      if (id !== undefined) found.set(id, mount);
    }
    return found;
  }

  #mountAt({ mountPoint }: UnionPlace): MountInfo | undefined {
    return ownMounts().findLast((mount) => mount.mountPoint === mountPoint);
  }

  #place(id: number): UnionPlace {
    const name = id.toString(36);
    return { id, mountPoint: `${this.#points}/${name}`, file: `${this.#files}/${name}` };
  }

  #queue(id: number): TaskQueue {
    const queue = this.#queues.get(id) ?? new TaskQueue();
    this.#queues.set(id, queue);
    return queue;
  }
}

/** A union that ends while it is asked shows nothing to anybody any more. */
async function unlessEnded<T>(asking: Promise<T>, otherwise: T): Promise<T> {
  try {
    return await asking;
  } catch (error) {
    if (isUnionError(error, 'ENOTCONN')) return otherwise;
    throw error;
  }
}

/** So many are asked at a time. */
const AT_ONCE = 16;

async function eachAtOnce<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  const workers = Array.from({ length: AT_ONCE }, async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  });
  await Promise.all(workers);
}

/** Returns whether it was not there. */
function makeDirectory(path: string): boolean {
  try {
    mkdirSync(path, { mode: 0o700 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  }
}

function removeEmpty(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    // Whatever it is, somebody has put it there.
  }
}
