import { once } from 'node:events';
import { teuError } from '@teu/errors';
import {
  ExecutorServiceService,
  type AttachProcessRequest,
  type AttachProcessResponse,
  type ContainerProcess,
  type ExecProcessRequest,
  type LaunchContainerRequest,
  type LaunchContainerResponse,
  type LaunchPreparedRequest,
  type PrepareContainerRequest,
  type ReadLogResponse,
  type Spec,
  type WatchExitsResponse,
} from '@teu/proto/executor';
import { implement, type CallContext, type Implementation } from '@teu/rpc';
import { FakeProcess } from './fake-process.js';
import { unimplemented } from './unimplemented.js';

/** Names a process. */
interface ProcessKey {
  containerId: string;
  execId: string;
}

/** An executor in memory. Its processes outlive its servers, as containers do. */
export class FakeExecutor {
  readonly processes = new Map<string, FakeProcess>();
  /** Specs of the containers that were launched, by id. */
  readonly specs = new Map<string, Spec>();
  /** Containers that were made in advance and not launched. */
  readonly prepared = new Set<string>();
  /** How many attachments there have been. */
  attachments = 0;
  readonly #watchers = new Set<(process: ContainerProcess) => void>();
  #nextPid = 1000;
  /** Called before a launch is answered. */
  onLaunch: (process: FakeProcess) => Promise<void> | void = () => undefined;
  /** Called before processes are listed; may throw. */
  onList: () => void = () => undefined;

  /** Process of a container, or an exec process of it. */
  find({ containerId, execId }: ProcessKey): FakeProcess | undefined {
    return this.processes.get(`${containerId}/${execId}`);
  }

  get service(): Implementation {
    return implement(ExecutorServiceService, {
      ...unimplemented(ExecutorServiceService),
      launchContainer: (request: LaunchContainerRequest) => this.#launch(request),
      prepareContainer: async ({ containerId }: PrepareContainerRequest) => {
        this.prepared.add(containerId);
        return { process: undefined };
      },
      launchPrepared: async ({ containerId, spec }: LaunchPreparedRequest) => {
        if (!this.prepared.delete(containerId)) throw teuError('INVALID_STATE', 'not prepared');
        return this.#launch({ containerId, spec });
      },
      execProcess: async (request: ExecProcessRequest) => this.#exec(request),
      getProcess: async (key: ProcessKey) => ({ process: this.#require(key).describe() }),
      listProcesses: async () => {
        this.onList();
        const processes = [...this.processes.values()].map((process) => process.describe());
        return { processes, nextPageToken: '' };
      },
      signalProcess: async ({ signal, ...key }: ProcessKey & { signal: number }) => {
        const process = this.#require(key);
        if (process.exit !== undefined) throw teuError('PROCESS_NOT_RUNNING', 'it has ended');
        process.signal(signal);
        return {};
      },
      watchExits: (_request: object, { signal }: CallContext) => this.#watch(signal),
      attachProcess: (requests: AsyncIterable<AttachProcessRequest>, { signal }: CallContext) =>
        this.#attach(requests, signal),
      readLog: (request: ProcessKey & { follow: boolean }, { signal }: CallContext) =>
        this.#readLog(request, signal),
      resizeTerminal: async (key: ProcessKey) => {
        this.#require(key);
        return {};
      },
      deleteProcess: async (key: ProcessKey) => this.#delete(key),
    });
  }

  async #launch({
    containerId,
    spec,
  }: Pick<LaunchContainerRequest, 'containerId' | 'spec'>): Promise<LaunchContainerResponse> {
    const key = { containerId, execId: '' };
    if (this.find(key) !== undefined) throw teuError('CONTAINER_EXISTS', 'the id is taken');
    const args = spec?.process?.args ?? [];
    if (spec !== undefined) this.specs.set(containerId, spec);
    const process = this.#start(key, args);
    await this.onLaunch(process);
    const elapsedDuration = { seconds: 0, nanos: 1_000_000 };
    return {
      process: { ...process.describe(), exit: undefined },
      trace: { phases: [{ name: 'clone', elapsedDuration }] },
    };
  }

  #exec({ process: wanted, ...key }: ExecProcessRequest): { process: ContainerProcess } {
    const first = this.#require({ ...key, execId: '' });
    if (first.exit !== undefined) throw teuError('CONTAINER_NOT_RUNNING', 'it has ended');
    return { process: this.#start(key, wanted?.args ?? []).describe() };
  }

  #start({ containerId, execId }: ProcessKey, args: string[]): FakeProcess {
    if (args[0] === 'missing') throw teuError('PROGRAM_NOT_FOUND', 'there is no program "missing"');
    this.#nextPid += 2;
    const process = new FakeProcess(containerId, execId, this.#nextPid, args);
    this.processes.set(`${containerId}/${execId}`, process);
    const announce = (): void => {
      for (const watcher of this.#watchers) watcher(process.describe());
    };
    if (process.exit === undefined) process.once('exit', announce);
    else announce();
    return process;
  }

  #delete({ containerId, execId }: ProcessKey): object {
    if (execId === '') this.prepared.delete(containerId);
    for (const [key, process] of this.processes) {
      const matches =
        process.containerId === containerId && (execId || process.execId) === process.execId;
      if (!matches) continue;
      process.end(137, 9);
      this.processes.delete(key);
    }
    return {};
  }

  async *#watch(signal: AbortSignal): AsyncGenerator<WatchExitsResponse> {
    const queue: ContainerProcess[] = [];
    let wake = Promise.withResolvers<undefined>();
    const watcher = (process: ContainerProcess): void => {
      queue.push(process);
      wake.resolve(undefined);
    };
    this.#watchers.add(watcher);
    signal.addEventListener('abort', () => wake.resolve(undefined), { once: true });
    try {
      yield { process: undefined };
      while (!signal.aborted) {
        const process = queue.shift();
        if (process !== undefined) yield { process };
        else {
          await wake.promise;
          wake = Promise.withResolvers<undefined>();
        }
      }
    } finally {
      this.#watchers.delete(watcher);
    }
  }

  async *#attach(
    requests: AsyncIterable<AttachProcessRequest>,
    signal: AbortSignal,
  ): AsyncGenerator<AttachProcessResponse> {
    const input = requests[Symbol.asyncIterator]();
    const first = await input.next();
    const part = first.done === true ? undefined : first.value.part;
    if (part?.$case !== 'attach') throw teuError('INVALID_ARGUMENT', 'attach comes first');
    const process = this.#require(part.value);
    this.attachments += 1;
    const { fromOffset } = part.value;
    const offset = fromOffset < 0 ? (process.log.at(-1)?.nextOffset ?? 0) : fromOffset;
    yield { part: { $case: 'attached', value: { offset } } };
    void this.#feed(process, input).catch(() => undefined);
    for await (const value of this.#records(process, offset, true, signal)) {
      yield { part: { $case: 'record', value } };
    }
    if (process.exit !== undefined) yield { part: { $case: 'exit', value: process.exit } };
  }

  async #feed(process: FakeProcess, input: AsyncIterator<AttachProcessRequest>): Promise<void> {
    for (;;) {
      const next = await input.next();
      if (next.done === true) return;
      const { part } = next.value;
      if (part?.$case === 'stdin') process.input(part.value);
      if (part?.$case === 'closeStdin') process.closeInput();
    }
  }

  async *#readLog(
    key: ProcessKey & { follow: boolean },
    signal: AbortSignal,
  ): AsyncGenerator<ReadLogResponse> {
    for await (const record of this.#records(this.#require(key), 0, key.follow, signal)) {
      yield { records: [record] };
    }
  }

  async *#records(process: FakeProcess, from: number, follow: boolean, signal: AbortSignal) {
    let index = process.log.findIndex((record) => record.offset >= from);
    if (index < 0) index = process.log.length;
    while (!signal.aborted) {
      const record = process.log[index];
      if (record !== undefined) {
        index += 1;
        yield record;
      } else if (follow && process.exit === undefined) {
        await once(process, 'change', { signal }).catch(() => undefined);
      } else return;
    }
  }

  #require(key: ProcessKey): FakeProcess {
    const process = this.find(key);
    if (process !== undefined) return process;
    throw teuError('PROCESS_NOT_FOUND', `no process ${key.containerId} ${key.execId}`);
  }
}
