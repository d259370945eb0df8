import { setTimeout as delay } from 'node:timers/promises';
import { isTeuError } from '@teu/errors';
import { failpoint } from '@teu/failpoint';
import type { Logger } from '@teu/log';
import { CgroupServiceService } from '@teu/proto/cgroup';
import type { Container } from '@teu/proto/engine';
import { ExecutorServiceService } from '@teu/proto/executor';
import type { Intent, Store } from '@teu/state';
import type { Peers } from '../peers/peers.js';
import type { ContainerFiles } from './container-files.js';
import type { DriverRegistry } from './drivers/driver-registry.js';
import type { MemoryReport } from './exit-memory.js';
import type { LogReaders } from './log-readers.js';
import { restoredRun } from './run-usage.js';

/** What is to be cleared away. Every part is named by an id, and clearing away what is gone succeeds. */
export interface TeardownTask {
  containerId: string;
  /** Only this exec process. */
  execId?: string;
  /** Log and exit record in the executor, and whatever still runs. */
  process?: boolean;
  cgroup?: boolean;
  /** The run that ended in the cgroup (storedRun): what it used goes on record before the cgroup goes. */
  run?: string;
  snapshot?: { driver: string; key: string };
  files?: boolean;
}

/** Everything of a container. */
export function wholeTeardown(container: Container): TeardownTask {
  return {
    containerId: container.id,
    process: true,
    cgroup: true,
    snapshot: { driver: container.driver, key: container.snapshotKey },
    files: true,
  };
}

/** What the queue needs. */
export interface TeardownParts {
  store: Store;
  peers: Peers;
  drivers: DriverRegistry;
  files: ContainerFiles;
  readers: LogReaders;
  log: Logger;
  /** Told what a cgroup said of memory when it was deleted. */
  onFinalMemory: (containerId: string, report: MemoryReport) => void;
}

interface Job {
  task: TeardownTask;
  /** Resolves when what the run has used is on record, and its cgroup gone. */
  recorded: Promise<void>;
  markRecorded: () => void;
  intentId: string;
  attempts: number;
  timer?: NodeJS.Timeout;
  running?: Promise<void>;
}

/** The answer goes out before the work begins, which takes as much of the machine as the start did. */
const DELAY_MS = 5;
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 30_000;
const CALL_TIMEOUT_MS = 30_000;

/**
 * Clears away what ended containers leave behind, after the answer and for as long as it takes. Each task is an
 * intent, so a restart goes on with it.
 */
export class TeardownQueue {
  readonly #parts: TeardownParts;
  readonly #jobs = new Map<string, Set<Job>>();
  #closed = false;

  constructor(parts: TeardownParts) {
    this.#parts = parts;
  }

  /** Adds a task in the caller's transaction; work begins after the commit. */
  schedule(asked: TeardownTask): void {
    const { store } = this.#parts;
    const task = this.#withRun(asked);
    const objectKey = task.containerId;
    const intentId = store.intents.begin({ operation: 'teardown', objectKey, payload: task });
    store.afterCommit(() => this.#add(task, intentId));
  }

  /** Goes on with a task that an earlier process recorded. */
  adopt(intent: Intent): void {
    this.#add(intent.payload as TeardownTask, intent.id);
  }

  /** Does now what is to be done for a container, because it shall start again. Throws if that fails. */
  async settle(containerId: string): Promise<void> {
    for (const job of [...(this.#jobs.get(containerId) ?? [])]) {
      if (job.task.execId !== undefined) continue;
      clearTimeout(job.timer);
      await (job.running ?? Promise.resolve());
      if (!this.#jobs.get(containerId)?.has(job)) continue;
      try {
        await this.#perform(job);
      } catch (error) {
        this.#arm(job, FIRST_RETRY_MS);
        throw error;
      }
    }
  }

  /**
   * Waits until what runs have used is on record, of all that have ended before now.
   *
   * @param timeoutMs - How long at most.
   * @returns How many are not on record then.
   */
  async settleUsage(timeoutMs: number): Promise<number> {
    const jobs = this.#allJobs().filter(({ task }) => task.run !== undefined);
    const waiting = new Set(jobs);
    const recorded = jobs.map((job) => job.recorded.then(() => waiting.delete(job)));
    const timeUp = new AbortController();
    const timeout = delay(timeoutMs, undefined, { signal: timeUp.signal }).catch(() => undefined);
    await Promise.race([Promise.all(recorded), timeout]);
    timeUp.abort();
    return waiting.size;
  }

  /** Does now what is to be done in a driver, because it shall leave. Throws if that fails. */
  async settleDriver(driver: string): Promise<void> {
    const ids = this.#jobsOf(driver).map(({ task }) => task.containerId);
    await Promise.all(ids.map((id) => this.settle(id)));
  }

  /** Leaves to a driver what is to be removed from it, because it shall leave as it is. */
  forgetDriver(driver: string): void {
    const { store } = this.#parts;
    for (const job of this.#jobsOf(driver)) {
      const task = { ...job.task };
      delete task.snapshot;
      const objectKey = task.containerId;
      store.transaction(() => {
        store.intents.finish(job.intentId);
        job.intentId = store.intents.begin({ operation: 'teardown', objectKey, payload: task });
      });
      job.task = task;
    }
  }

  /** Number of tasks that are not done. */
  get pending(): number {
    return [...this.#jobs.values()].reduce((sum, jobs) => sum + jobs.size, 0);
  }

  /** Stops; the next start of the engine goes on. */
  async close(): Promise<void> {
    this.#closed = true;
    const jobs = this.#allJobs();
    for (const job of jobs) clearTimeout(job.timer);
    await Promise.all(jobs.flatMap((job) => job.running ?? []));
  }

  /** Another task may get to the cgroup first, of a container that is removed right after its end. */
  #withRun(task: TeardownTask): TeardownTask {
    if (task.cgroup !== true || task.run !== undefined) return task;
    const jobs = [...(this.#jobs.get(task.containerId) ?? [])];
    const run = jobs.find((job) => job.task.run !== undefined)?.task.run;
    return run === undefined ? task : { ...task, run };
  }

  #allJobs(): Job[] {
    return [...this.#jobs.values()].flatMap((set) => [...set]);
  }

  #jobsOf(driver: string): Job[] {
    return this.#allJobs().filter(({ task }) => task.snapshot?.driver === driver);
  }

  #add(task: TeardownTask, intentId: string): void {
    let markRecorded = (): void => undefined;
    const recorded = new Promise<void>((resolve) => {
      markRecorded = resolve;
    });
    const job: Job = { task, intentId, attempts: 0, recorded, markRecorded };
    const jobs = this.#jobs.get(task.containerId) ?? new Set();
    this.#jobs.set(task.containerId, jobs.add(job));
    this.#arm(job, DELAY_MS);
  }

  #arm(job: Job, delayMs: number): void {
    if (this.#closed) return;
    job.timer = setTimeout(() => {
      job.running = this.#attempt(job).finally(() => delete job.running);
    }, delayMs);
  }

  async #attempt(job: Job): Promise<void> {
    try {
      await this.#perform(job);
    } catch (error) {
      if (this.#closed) return;
      const delayMs = Math.min(FIRST_RETRY_MS * 2 ** job.attempts, LONGEST_RETRY_MS);
      job.attempts += 1;
      const { containerId, execId } = job.task;
      this.#parts.log.warn(
        { container_id: containerId, exec_id: execId, retry_ms: delayMs, err: error },
        'could not clear away what a container left; trying again',
      );
      this.#arm(job, delayMs);
    }
  }

  /**
   * Carries a task out, in the order in which the parts were made to depend on each other, backwards. But a run whose
   * end is known goes on record first: its process is gone, and who reads its output may take for ever.
   */
  async #perform(job: Job): Promise<void> {
    const { task } = job;
    const { store, files } = this.#parts;
    if (task.run !== undefined) await this.#deleteCgroup(job);
    if (task.process === true) await this.#deleteProcess(task);
    failpoint('engine.teardown.after-process');
    if (task.run === undefined) await this.#deleteCgroup(job);
    failpoint('engine.teardown.after-cgroup');
    if (task.snapshot !== undefined) await this.#removeSnapshot(task.snapshot);
    failpoint('engine.teardown.after-snapshot');
    if (task.files === true) await files.remove(task.containerId);
    store.transaction(() => store.intents.finish(job.intentId), { durable: false });
    const jobs = this.#jobs.get(task.containerId);
    jobs?.delete(job);
    if (jobs?.size === 0) this.#jobs.delete(task.containerId);
  }

  async #deleteProcess({ containerId, execId = '' }: TeardownTask): Promise<void> {
    const { peers, readers } = this.#parts;
    await readers.whenFree(execId === '' ? containerId : execId);
    await unlessGone(
      peers.executor.call(
        ExecutorServiceService.deleteProcess,
        { containerId, execId, force: true },
        { timeoutMs: CALL_TIMEOUT_MS },
      ),
    );
  }

  async #deleteCgroup(job: Job): Promise<void> {
    if (job.task.cgroup === true) await this.#finishCgroup(job.task);
    job.markRecorded();
  }

  async #finishCgroup({ containerId: id, run: told }: TeardownTask): Promise<void> {
    const { peers, onFinalMemory } = this.#parts;
    const run = told === undefined ? undefined : restoredRun(told);
    const answer = await unlessGone(
      peers.cgroup.call(
        CgroupServiceService.deleteCgroup,
        { id, force: true, run },
        { timeoutMs: CALL_TIMEOUT_MS },
      ),
    );
    if (answer === undefined) return;
    onFinalMemory(id, { stats: answer.finalStats, oomKills: answer.oomKills });
  }

  async #removeSnapshot({ driver, key }: { driver: string; key: string }): Promise<void> {
    await unlessGone(this.#parts.drivers.get(driver).remove(key));
  }
}

/** What is gone already needs no clearing away. */
async function unlessGone<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isTeuError(error) && error.status === 'NOT_FOUND') return undefined;
    throw error;
  }
}
