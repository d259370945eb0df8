import { isTeuError, teuError } from '@teu/errors';
import { newExecId } from '@teu/ids';
import type { ContainerExit, ExecSpec } from '@teu/proto/engine';
import { ContainerAction } from '@teu/proto/event';
import { ExecutorServiceService, type ContainerProcess } from '@teu/proto/executor';
import type { ContainerEntry } from './container-entry.js';
import { notRunning, requireNotPaused, requireThawedGroup } from './container-state.js';
import type { EngineParts } from './engine-parts.js';
import { buildExecProcess } from './executor-spec.js';
import { refuse, validateProcessText } from './spec-validation.js';
import { recordFacts } from './transitions.js';

/** A program that was started in a container. */
export interface ExecSession {
  execId: string;
  containerId: string;
  pid: number;
  /** How it ended. */
  exit: Promise<ContainerExit>;
}

interface Record {
  session: ExecSession;
  /** Settles when the start is recorded or has failed. */
  recorded: Promise<void>;
  /** Whether it has settled. */
  settled: boolean;
  end(exit: ContainerExit): void;
}

const START_TIMEOUT_MS = 30_000;

/** Programs that were started in containers and have not ended. */
export class ExecSessions {
  readonly #parts: EngineParts;
  readonly #records = new Map<string, Record>();

  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  /** Takes up what an earlier process recorded. */
  adopt(execId: string, containerId: string): void {
    this.#records.set(execId, {
      ...makeRecord(execId, containerId, Promise.resolve()),
      settled: true,
    });
  }

  /** Ids of the programs that count as running; those that are just being started are left out. */
  ids(): string[] {
    return [...this.#records].filter(([, { settled }]) => settled).map(([id]) => id);
  }

  /** Container of a program that counts as running. */
  containerOf(execId: string): string | undefined {
    return this.#records.get(execId)?.session.containerId;
  }

  /**
   * Starts a program in a running container.
   * @throws CONTAINER_NOT_RUNNING, CONTAINER_PAUSED, PROGRAM_NOT_FOUND, INVALID_ARGUMENT
   */
  async start(entry: ContainerEntry, spec: ExecSpec): Promise<ExecSession> {
    if (spec.args.length === 0) refuse('spec.args', 'are empty');
    validateProcessText('spec', spec);
    if (!entry.running) throw notRunning(entry);
    requireNotPaused(entry);
    await requireThawedGroup(this.#parts, entry);
    const execId = newExecId();
    const started = Promise.withResolvers<undefined>();
    const record = makeRecord(execId, entry.id, started.promise);
    // Known before it runs: its exit may be told before its start is answered.
    this.#records.set(execId, record);
    try {
      const process = await this.#launch(entry, execId, spec);
      record.session.pid = process?.pid ?? 0;
      const action = ContainerAction.CONTAINER_ACTION_EXEC_STARTED;
      recordFacts(this.#parts, entry, [{ action, execId }], () =>
        this.#parts.execs.insert(execId, entry.id),
      );
      return record.session;
    } catch (error) {
      this.#records.delete(execId);
      this.#scheduleTeardown(entry.id, execId);
      throw error;
    } finally {
      record.settled = true;
      started.resolve(undefined);
    }
  }

  /** Takes note that a program has ended. Twice is no error, nor is one that is not known. */
  async end(containerId: string, execId: string, exit: ContainerExit): Promise<void> {
    const record = this.#records.get(execId);
    await record?.recorded;
    const entry = this.#parts.registry.byId(containerId);
    if (record === undefined || !this.#records.delete(execId)) {
      // Nobody's: left over from a start that was not recorded.
      if (entry !== undefined) this.#scheduleTeardown(containerId, execId);
      return;
    }
    if (entry === undefined) {
      this.#parts.store.transaction(() => this.#parts.execs.delete(execId));
    } else {
      const action = ContainerAction.CONTAINER_ACTION_EXEC_EXITED;
      const fact = { action, execId, exitCode: exit.exitCode, signal: exit.signal };
      recordFacts(this.#parts, entry, [fact], () => {
        this.#parts.execs.delete(execId);
        this.#parts.teardown.schedule({ containerId, execId, process: true });
      });
    }
    record.end(exit);
  }

  async #launch(
    entry: ContainerEntry,
    execId: string,
    spec: ExecSpec,
  ): Promise<ContainerProcess | undefined> {
    const process = buildExecProcess(entry.container, spec);
    const request = { containerId: entry.id, execId, process, logLimits: undefined };
    try {
      const answer = await this.#parts.peers.executor.call(
        ExecutorServiceService.execProcess,
        request,
        { timeoutMs: START_TIMEOUT_MS },
      );
      return answer.process;
    } catch (error) {
      if (isTeuError(error, 'PROCESS_EXISTS')) {
        // The call was repeated after its answer was lost.
        const key = { containerId: entry.id, execId };
        return (await this.#parts.peers.executor.call(ExecutorServiceService.getProcess, key))
          .process;
      }
      // It ended while the request was under way.
      if (isTeuError(error, 'PROCESS_NOT_RUNNING') || isTeuError(error, 'CONTAINER_NOT_FOUND')) {
        throw notRunning(entry);
      }
      throw error;
    }
  }

  #scheduleTeardown(containerId: string, execId: string): void {
    this.#parts.store.transaction(
      () => this.#parts.teardown.schedule({ containerId, execId, process: true }),
      { durable: false },
    );
  }
}

/** @throws EXEC_NOT_FOUND if it is no id of a program of this container. */
export function execNotFound(execId: string): Error {
  return teuError('EXEC_NOT_FOUND', 'the container runs no program with this exec id', {
    metadata: { exec_id: execId.slice(0, 64) },
  });
}

function makeRecord(execId: string, containerId: string, recorded: Promise<void>): Record {
  const { promise, resolve } = Promise.withResolvers<ContainerExit>();
  return {
    session: { execId, containerId, pid: 0, exit: promise },
    recorded,
    settled: false,
    end: resolve,
  };
}
