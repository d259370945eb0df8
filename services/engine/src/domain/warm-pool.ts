import { setTimeout as delay } from 'node:timers/promises';
import { containerSnapshotKey, newContainerId } from '@teu/ids';
import { failpoint } from '@teu/failpoint';
import type { CgroupMembership } from '@teu/proto/cgroup';
import type { SpecMount } from '@teu/proto/executor';
import type { Mount } from '@teu/proto/snapshots';
import { LinuxResources } from '@teu/proto/type';
import type { EngineParts } from './engine-parts.js';
import { bothSettled, makeCgroup, makeLayer } from './prepare-start.js';
import { prepareWorld } from './world.js';

/**
 * What a container needs before its program, made in advance: an id, its layer, its cgroup, its files, and in the
 * executor a process in namespaces of its own with all mounts, which waits to hear what it is to run.
 */
export interface WarmStart {
  containerId: string;
  driver: string;
  snapshotKey: string;
  /** Intent that names all of it, until a container takes it over. */
  intentId: string;
  rootMounts: Mount[];
  /** With the limits of a container that asks for none. */
  membership: CgroupMembership | undefined;
  /** For a container with the default host name and no network of the host. */
  fileMounts: SpecMount[];
}

/** Starts on one layer of one driver. */
interface Shelf {
  driver: string;
  /** Committed snapshot that they stand on. */
  parent: string;
  ready: WarmStart[];
  /** Settles when the filling that is under way has ended. */
  filling: Promise<void>;
  fillTimer?: NodeJS.Timeout;
  expiryTimer?: NodeJS.Timeout;
  dropped: boolean;
}

type Parts = Pick<
  EngineParts,
  'store' | 'peers' | 'drivers' | 'files' | 'teardown' | 'log' | 'defaults'
>;

/** Long enough for the container that was just answered to be cleared away first. */
const FILL_DELAY_MS = 15;
/** An image that nobody has run for this long gets no more starts in advance. */
const EXPIRY_MS = 60_000;
/**
 * How long giving starts up is waited for. The image service waits a second for the engine, and a driver that takes
 * longer must not keep either from the images of other drivers.
 */
const GIVE_UP_MS = 800;

/**
 * Makes starts of recently used images in advance, so that a run only has to launch. Small and short-lived; each is
 * an intent, so that a crash leaks nothing; given up as soon as the image service wants the layer below.
 */
export class WarmPool {
  readonly #parts: Parts;
  readonly #size: number;
  readonly #shelves = new Map<string, Shelf>();
  #enabled = false;
  #pauses = 0;

  /** @param size starts kept per image and driver; 0 for none */
  constructor(parts: Parts, size: number) {
    this.#parts = parts;
    this.#size = size;
  }

  /** Begins to make starts. */
  enable(): void {
    this.#enabled = this.#size > 0;
  }

  /** Stops making starts and gives up those that are there. */
  async disable(): Promise<void> {
    this.#enabled = false;
    await this.#dropShelves([...this.#shelves.values()]);
  }

  /**
   * Gives up all starts while some work is done, and makes none: each is a process that waits in a mount namespace with
   * copies of all mounts of the host, which keeps drivers from unmounting what is theirs.
   */
  async without<T>(work: () => Promise<T>): Promise<T> {
    this.#pauses += 1;
    try {
      await this.#dropShelves([...this.#shelves.values()]);
      return await work();
    } finally {
      this.#pauses -= 1;
    }
  }

  /** Takes a start on this layer, if there is one; more are made in any case, since the image is in use. */
  take(driver: string, parent: string): WarmStart | undefined {
    if (!this.#enabled || this.#pauses > 0 || parent === '') return undefined;
    if (this.#parts.drivers.get(driver).isStalled) return undefined;
    const shelf = this.#shelfOf(driver, parent);
    this.#scheduleFill(shelf);
    return shelf.ready.shift();
  }

  /** Gives up the starts on these layers. When it returns, none stands on them any more, unless the driver is slow. */
  async drop(parents: readonly string[]): Promise<void> {
    await this.#dropShelves(
      [...this.#shelves.values()].filter(({ parent }) => parents.includes(parent)),
    );
  }

  /** Gives up the starts in a driver that leaves or gives no answers. */
  async dropDriver(driver: string): Promise<void> {
    await this.#dropShelves([...this.#shelves.values()].filter((shelf) => shelf.driver === driver));
  }

  /** Number of starts that are ready. */
  get readyCount(): number {
    return [...this.#shelves.values()].reduce((sum, { ready }) => sum + ready.length, 0);
  }

  #shelfOf(driver: string, parent: string): Shelf {
    const key = `${driver} ${parent}`;
    const known = this.#shelves.get(key);
    if (known !== undefined) return known;
    const shelf = { driver, parent, ready: [], filling: Promise.resolve(), dropped: false };
    this.#shelves.set(key, shelf);
    return shelf;
  }

  #scheduleFill(shelf: Shelf): void {
    clearTimeout(shelf.fillTimer);
    shelf.fillTimer = setTimeout(() => {
      shelf.filling = shelf.filling
        .then(() => this.#fill(shelf))
        .catch((error: unknown) => {
          this.#noteFailure(error);
        });
    }, FILL_DELAY_MS);
    clearTimeout(shelf.expiryTimer);
    shelf.expiryTimer = setTimeout(() => {
      this.#dropShelves([shelf]).catch((error: unknown) => {
        this.#noteFailure(error);
      });
    }, EXPIRY_MS).unref();
  }

  /** A full disk, say. What is left has its intent, and goes when the engine starts the next time. */
  #noteFailure(error: unknown): void {
    this.#parts.log.warn({ err: error }, 'starts in advance are not in order');
  }

  async #fill(shelf: Shelf): Promise<void> {
    while (!shelf.dropped && shelf.ready.length < this.#size) {
      const start = await this.#make(shelf);
      if (start === undefined) return;
      shelf.ready.push(start);
    }
  }

  /** Undefined if it failed; what was made of it is then cleared away. */
  async #make({ driver, parent }: Shelf): Promise<WarmStart | undefined> {
    const { store, files, defaults } = this.#parts;
    const containerId = newContainerId();
    const snapshotKey = containerSnapshotKey(containerId);
    const payload = { driver, snapshotKey };
    const named = { containerId, driver, snapshotKey };
    const intentId = store.intents.begin({ operation: 'warm', objectKey: containerId, payload });
    try {
      failpoint('engine.warm.after-intent');
      const resources =
        defaults.pidsLimit < 0
          ? undefined
          : LinuxResources.create({ pids: { limit: defaults.pidsLimit } });
      const [rootMounts, membership] = await bothSettled(
        makeLayer(this.#parts, named, parent),
        makeCgroup(this.#parts, containerId, { resources, group: '' }),
      );
      failpoint('engine.warm.after-prepare');
      const hostname = containerId.slice(0, 12);
      const fileMounts = files.write({ id: containerId, hostname, sharesNetwork: false });
      const start = { ...named, intentId, rootMounts, membership, fileMounts };
      await prepareWorld(this.#parts, start);
      failpoint('engine.warm.after-world');
      return start;
    } catch (error) {
      this.#parts.log.debug({ err: error, driver }, 'no start was made in advance');
      this.#giveUp({ ...named, intentId });
      return undefined;
    }
  }

  async #dropShelves(shelves: Shelf[]): Promise<void> {
    for (const shelf of shelves) {
      shelf.dropped = true;
      clearTimeout(shelf.fillTimer);
      clearTimeout(shelf.expiryTimer);
      this.#shelves.delete(`${shelf.driver} ${shelf.parent}`);
    }
    const limit = new AbortController();
    const timeout = delay(GIVE_UP_MS, undefined, limit).catch(() => undefined);
    await Promise.race([Promise.all(shelves.map((shelf) => this.#clear(shelf))), timeout]);
    limit.abort();
  }

  async #clear(shelf: Shelf): Promise<void> {
    const clearReady = async (): Promise<void> => {
      const given = shelf.ready.splice(0);
      for (const start of given) this.#giveUp(start);
      await Promise.all(given.map((start) => this.#settle(start.containerId)));
    };
    await Promise.all([clearReady(), shelf.filling.then(clearReady)]);
  }

  #giveUp(start: Pick<WarmStart, 'containerId' | 'driver' | 'snapshotKey' | 'intentId'>): void {
    this.#parts.store.transaction(() => discardWarm(this.#parts, start));
  }

  /** Does at once what the queue would do soon. If that fails the queue goes on trying. */
  async #settle(containerId: string): Promise<void> {
    try {
      await this.#parts.teardown.settle(containerId);
    } catch (error) {
      this.#parts.log.warn({ container_id: containerId, err: error }, 'a start in advance stays');
    }
  }
}

/** Has a start that no container uses cleared away, in the caller's transaction. */
export function discardWarm(
  { store, teardown }: Pick<EngineParts, 'store' | 'teardown'>,
  start: Pick<WarmStart, 'containerId' | 'driver' | 'snapshotKey' | 'intentId'>,
): void {
  const { containerId, driver, snapshotKey, intentId } = start;
  store.intents.finish(intentId);
  const snapshot = { driver, key: snapshotKey };
  teardown.schedule({ containerId, process: true, cgroup: true, snapshot, files: true });
}
