import { newContainerId, newExecId } from '@teu/ids';
import type { AttachProcessRequest } from '@teu/proto/executor';
import {
  AttachTarget,
  ExecutorServiceService as Service,
  OutputStream,
  ReadLogRequest,
  type AttachProcessResponse,
  type ExitStatus,
  type LaunchContainerResponse,
  type LogLimits,
  type LogRecord,
  type Process,
  type Spec,
} from '@teu/proto/executor';
import type { RpcChannel } from '@teu/rpc';
import { exampleProcess, exampleSpec } from './example-spec.js';

/** What a program did. */
export interface Outcome {
  exit: ExitStatus;
  stdout: string;
  stderr: string;
}

/** An executor's client in the words of tests. Containers that it starts are removed by `removeAll`. */
export class ExecutorClient {
  readonly channel: RpcChannel;
  readonly #root: string;
  readonly #containers: string[] = [];

  constructor(channel: RpcChannel, root: string) {
    this.channel = channel;
    this.#root = root;
  }

  spec(args: string[], changes: Partial<Process> = {}): Spec {
    return exampleSpec(this.#root, args, changes);
  }

  /** Launches a container and gives its id. */
  async launch(spec: Spec | string[], logLimits?: LogLimits): Promise<string> {
    const response = await this.launchContainer(spec, newContainerId(), logLimits);
    return response.process?.containerId ?? '';
  }

  async launchContainer(
    spec: Spec | string[],
    containerId: string = newContainerId(),
    logLimits?: LogLimits,
    lingerMs?: number,
  ): Promise<LaunchContainerResponse> {
    this.#containers.push(containerId);
    return this.channel.unary(Service.launchContainer, {
      containerId,
      spec: Array.isArray(spec) ? this.spec(spec) : spec,
      logLimits,
      lingerDuration: lingerMs === undefined ? undefined : { seconds: 0, nanos: lingerMs * 1e6 },
    });
  }

  async exec(containerId: string, process: Process | string[]): Promise<string> {
    const execId = newExecId();
    await this.channel.unary(Service.execProcess, {
      containerId,
      execId,
      process: Array.isArray(process) ? exampleProcess(process) : process,
      logLimits: undefined,
    });
    return execId;
  }

  /** Makes a container in advance and gives its id. */
  async prepare(spec: Spec = this.spec(['unused'])): Promise<string> {
    const containerId = newContainerId();
    this.#containers.push(containerId);
    await this.channel.unary(Service.prepareContainer, { containerId, spec, logLimits: undefined });
    return containerId;
  }

  async launchPrepared(containerId: string, spec: Spec | string[], lingerMs = 0) {
    return this.channel.unary(Service.launchPrepared, {
      containerId,
      spec: Array.isArray(spec) ? this.spec(spec) : spec,
      lingerDuration: { seconds: 0, nanos: lingerMs * 1e6 },
    });
  }

  /** Launches a container, waits for its end and reads its log. */
  async run(spec: Spec | string[]): Promise<Outcome> {
    return this.outcome(await this.launch(spec));
  }

  /** The same with a program that joins a container. */
  async runExec(containerId: string, process: Process | string[]): Promise<Outcome> {
    return this.outcome(containerId, await this.exec(containerId, process));
  }

  async outcome(containerId: string, execId = ''): Promise<Outcome> {
    const exit = await this.wait(containerId, execId);
    const records = await this.log(containerId, { execId });
    const text = (stream: OutputStream) =>
      Buffer.concat(
        records.filter((record) => record.stream === stream).map(({ data }) => data),
      ).toString();
    return {
      exit,
      stdout: text(OutputStream.OUTPUT_STREAM_STDOUT),
      stderr: text(OutputStream.OUTPUT_STREAM_STDERR),
    };
  }

  async wait(containerId: string, execId = ''): Promise<ExitStatus> {
    const request = { containerId, execId };
    const { exit } = await this.channel.unary(Service.waitProcess, request, { timeoutMs: 15_000 });
    if (exit === undefined) throw new Error('no exit');
    return exit;
  }

  async log(containerId: string, changes: Partial<ReadLogRequest> = {}): Promise<LogRecord[]> {
    const request = { ...ReadLogRequest.create({ containerId }), ...changes };
    const records: LogRecord[] = [];
    for await (const message of this.channel.serverStream(Service.readLog, request)) {
      records.push(...message.records);
    }
    return records;
  }

  async logText(containerId: string, changes: Partial<ReadLogRequest> = {}): Promise<string> {
    const records = await this.log(containerId, changes);
    return Buffer.concat(records.map(({ data }) => data)).toString();
  }

  async signal(containerId: string, signal: number, execId = ''): Promise<void> {
    await this.channel.unary(Service.signalProcess, { containerId, execId, signal });
  }

  async remove(containerId: string, force = true): Promise<void> {
    const request = { containerId, execId: '', force };
    await this.channel.unary(Service.deleteProcess, request, { timeoutMs: 30_000 });
  }

  async processes(containerId = '') {
    const request = { pageSize: 1000, pageToken: '', containerId };
    return (await this.channel.unary(Service.listProcesses, request)).processes;
  }

  async get(containerId: string, execId = '') {
    const { process } = await this.channel.unary(Service.getProcess, { containerId, execId });
    if (process === undefined) throw new Error('no process');
    return process;
  }

  /** Attaches; `input` says what is sent after the first message. */
  attach(
    target: Partial<AttachTarget>,
    input: AsyncIterable<AttachProcessRequest['part']> = noInput(),
    signal?: AbortSignal,
  ): AsyncIterableIterator<AttachProcessResponse> {
    const first = {
      $case: 'attach',
      value: { ...AttachTarget.create({ lossless: true }), ...target },
    } as const;
    async function* messages(): AsyncGenerator<AttachProcessRequest> {
      yield { part: first };
      for await (const part of input) yield { part };
    }
    return this.channel.bidi(
      Service.attachProcess,
      messages(),
      signal === undefined ? {} : { signal },
    );
  }

  async removeAll(): Promise<void> {
    await Promise.all(this.#containers.splice(0).map((id) => this.remove(id)));
  }
}

async function* noInput(): AsyncGenerator<never> {
  // A client that only listens.
}
