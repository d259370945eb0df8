import type { StorageDriver } from './driver.js';

/** How long closing waits for a program that a disk holds fast. */
const CLOSE_MS = 2_000;

interface Job {
  readonly ending: AbortController;
  readonly done: Promise<unknown>;
}

/**
 * Work on the trees of committed snapshots that takes its time. A snapshot can be removed meanwhile,
 * and the service can stop: both end the work instead of waiting for it.
 */
export class TreeJobs {
  readonly #driver: StorageDriver;
  readonly #jobs = new Map<number, Set<Job>>();
  /** Trees that are being changed, each until its promise resolves. */
  readonly #excluded = new Map<number, Promise<unknown>>();
  readonly #closing = new AbortController();

  constructor(driver: StorageDriver) {
    this.#driver = driver;
  }

  /**
   * Runs `work` with the tree of a snapshot.
   *
   * @param isMending - Whether it may write there.
   * @throws the reason of the signal that `work` gets, if that aborts: of `signal`, or ours
   */
  async run<T>(
    id: number,
    signal: AbortSignal | undefined,
    work: (directory: string, signal: AbortSignal) => Promise<T>,
    isMending = false,
  ): Promise<T> {
    const ending = new AbortController();
    const signals = [ending.signal, this.#closing.signal, ...(signal ? [signal] : [])];
    const any = AbortSignal.any(signals);
    for (let other = this.#excluded.get(id); other; other = this.#excluded.get(id)) await other;
    any.throwIfAborted();
    const done = this.#driver.withTree(id, (directory) => work(directory, any), isMending);
    const job: Job = { ending, done: done.catch(() => undefined) };
    const jobs = this.#jobs.get(id) ?? new Set<Job>();
    this.#jobs.set(id, jobs.add(job));
    try {
      return await done;
    } finally {
      jobs.delete(job);
      if (jobs.size === 0) this.#jobs.delete(id);
    }
  }

  /**
   * Runs `change` while nobody else looks at the tree of a snapshot: work on it is ended, and new work
   * waits. One at a time for a snapshot.
   */
  async exclude<T>(id: number, change: () => Promise<T>): Promise<T> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#excluded.set(id, promise);
    try {
      await this.stop(id);
      return await change();
    } finally {
      this.#excluded.delete(id);
      resolve(undefined);
    }
  }

  /** Ends the work on a snapshot; undefined if there is none, so that a removal need not wait. */
  stop(id: number): Promise<unknown> | undefined {
    const jobs = this.#jobs.get(id);
    if (jobs === undefined) return undefined;
    for (const { ending } of jobs) ending.abort();
    return Promise.all([...jobs].map(({ done }) => done));
  }

  /**
   * Ends all work, and takes no more.
   *
   * @param users - Who works with trees, and is to be waited for too, as long as that takes little time.
   */
  async close(users: Promise<unknown>): Promise<void> {
    this.#closing.abort();
    const running = [...this.#jobs.values()].flatMap((jobs) => [...jobs]);
    const ended = Promise.all([users, ...running.map(({ done }) => done)]);
    const limit = new Promise((resolve) => setTimeout(resolve, CLOSE_MS).unref());
    await Promise.race([ended, limit]);
  }
}
