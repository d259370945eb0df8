import { setTimeout as delay } from 'node:timers/promises';
import { isTeuError } from '@teu/errors';
import { ExecutorServiceService, type ContainerProcess } from '@teu/proto/executor';
import type { EngineParts } from './engine-parts.js';
import type { ExecSessions } from './exec-sessions.js';
import type { ExitRecorder } from './exit-recorder.js';
import { unknownExit } from './process-exit.js';

const FIRST_RETRY_MS = 20;
const LONGEST_RETRY_MS = 1_000;
const PAGE_SIZE = 1000;

/**
 * Learns of every exit: one stream from the executor, and after each (re)connection a comparison of what counts
 * as running with what the executor says, so that nothing that happened meanwhile is missed.
 */
export class ExitWatch {
  readonly #parts: EngineParts;
  readonly #recorder: ExitRecorder;
  readonly #execs: ExecSessions;
  readonly #closing = new AbortController();
  #finished: Promise<void> = Promise.resolve();

  constructor(parts: EngineParts, recorder: ExitRecorder, execs: ExecSessions) {
    this.#parts = parts;
    this.#recorder = recorder;
    this.#execs = execs;
  }

  /** Begins to watch. Does not wait for the executor. */
  start(): void {
    this.#finished = this.#watchForever();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#finished;
  }

  async #watchForever(): Promise<void> {
    const { signal } = this.#closing;
    let retryMs = FIRST_RETRY_MS;
    let told = false;
    const closed = (): boolean => signal.aborted;
    while (!closed()) {
      try {
        await this.#watchOnce(() => {
          retryMs = FIRST_RETRY_MS;
          told = false;
        });
      } catch (error) {
        if (closed()) return;
        if (!told) this.#parts.log.warn({ err: error }, 'exits are not coming in; trying again');
        told = true;
      }
      await delay(retryMs, undefined, { signal }).catch(() => undefined);
      retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS);
    }
  }

  /** Ends with an error also if the comparison fails: what happened before the watch is missed until one succeeds. */
  async #watchOnce(connected: () => void): Promise<void> {
    const failing = new AbortController();
    const signal = AbortSignal.any([this.#closing.signal, failing.signal]);
    const { executor } = this.#parts.peers;
    const exits = executor.serverStream(ExecutorServiceService.watchExits, {}, { signal });
    let compared: Promise<void> | undefined;
    try {
      for await (const { process } of exits) {
        // The first message says that the watch stands: from here on nothing is missed.
        compared ??= this.#compare().then(connected, (error: unknown) => failing.abort(error));
        if (process !== undefined) this.#record(process);
      }
    } catch (error) {
      failing.signal.throwIfAborted();
      throw error;
    }
    await compared;
    failing.signal.throwIfAborted();
  }

  /** In the background: what one container's exit waits for must not hold up the others'. */
  #record(process: ContainerProcess): void {
    this.#recorder.record(process).catch((error: unknown) => {
      const { containerId } = process;
      this.#parts.log.error({ container_id: containerId, err: error }, 'could not record an exit');
    });
  }

  async #compare(): Promise<void> {
    const { registry } = this.#parts;
    const running = registry.all().filter((entry) => entry.running);
    const pids = new Map(running.map((entry) => [entry, entry.container.pid]));
    const execIds = new Set(this.#execs.ids());
    const known = new Set<string>();
    for await (const process of this.#processes()) {
      known.add(process.containerId);
      execIds.delete(process.execId);
      this.#record(process);
    }
    for (const [entry, pid] of pids) {
      if (known.has(entry.id) || !(await this.#isUnknown(entry.id))) continue;
      const exit = unknownExit('the executor knows nothing of it any more');
      await this.#recorder.recordUnknown(entry, pid, exit);
    }
    for (const execId of execIds) await this.#forgetExec(execId);
  }

  async *#processes(): AsyncGenerator<ContainerProcess, void, undefined> {
    let pageToken = '';
    do {
      const answer = await this.#parts.peers.executor.call(ExecutorServiceService.listProcesses, {
        pageSize: PAGE_SIZE,
        pageToken,
        containerId: '',
      });
      yield* answer.processes;
      pageToken = answer.nextPageToken;
    } while (pageToken !== '');
  }

  /** Asked one by one, since to declare a running container lost is not to be done on one list's word. */
  async #isUnknown(containerId: string): Promise<boolean> {
    try {
      const request = { containerId, execId: '' };
      await this.#parts.peers.executor.call(ExecutorServiceService.getProcess, request);
      return false;
    } catch (error) {
      if (isTeuError(error) && error.status === 'NOT_FOUND') return true;
      throw error;
    }
  }

  async #forgetExec(execId: string): Promise<void> {
    const containerId = this.#execs.containerOf(execId);
    if (containerId === undefined) return;
    await this.#execs.end(containerId, execId, unknownExit('the executor knows nothing of it'));
  }
}
