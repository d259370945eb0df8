import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  EngineServiceService as Engine,
  ExecContainerRequest,
  ReadLogsRequest,
  RunContainerRequest,
  type ExecAttachedRequest,
  type RunAttachedRequest,
  type RunAttachedResponse,
} from '@teu/proto/engine';
import { waitFor } from '@teu/testing';
import { FakeHost, specOf, type EngineClient, type SpecPart } from './testing/index.js';

let host: FakeHost;
let client: EngineClient;
beforeEach(async () => {
  host = await FakeHost.start();
  client = host.client;
});
afterEach(() => host.close());

/** Messages of a client, sent when the test says so. */
class Outgoing<T> implements AsyncIterable<T> {
  readonly #queue: T[];
  #wake = Promise.withResolvers<undefined>();
  #ended = false;

  constructor(...first: T[]) {
    this.#queue = first;
  }

  send(message: T): void {
    this.#queue.push(message);
    this.#wake.resolve(undefined);
  }

  end(): void {
    this.#ended = true;
    this.#wake.resolve(undefined);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      while (this.#queue.length > 0) yield this.#queue.shift()!;
      if (this.#ended) return;
      await this.#wake.promise;
      this.#wake = Promise.withResolvers<undefined>();
    }
  }
}

const runMessage = (args: string[], spec: SpecPart = {}): RunAttachedRequest => ({
  part: { $case: 'run', value: RunContainerRequest.create({ spec: specOf(args, spec) }) },
});

const textOf = (messages: RunAttachedResponse[]): string =>
  messages.map(({ part }) => (part?.$case === 'record' ? part.value.data.toString() : '')).join('');

describe('RunAttached', () => {
  test('gives start, all output and the exit, also of what removes itself', async () => {
    const requests = new Outgoing(runMessage(['flood', '2000'], { autoRemove: true }));
    const messages = await Array.fromAsync(client.channel.bidi(Engine.runAttached, requests));
    expect(messages[0]?.part?.$case).toBe('started');
    expect(messages.at(-1)?.part).toMatchObject({ $case: 'exit', value: { exitCode: 0 } });
    expect(textOf(messages).split('\n').slice(0, -1)).toEqual(
      Array.from({ length: 2000 }, (_, i) => String(i)),
    );
    await host.settled();
    expect(host.holdings()).toEqual({ snapshots: [], cgroups: [], processes: [] });
  });

  test('passes input, its end, and signals on', async () => {
    const requests = new Outgoing(runMessage(['cat'], { stdinOpen: true }));
    const stream = client.channel.bidi(Engine.runAttached, requests);
    const messages: RunAttachedResponse[] = [];
    for await (const message of stream) {
      messages.push(message);
      if (message.part?.$case === 'started') {
        requests.send({ part: { $case: 'signal', value: 1 } });
        requests.send({ part: { $case: 'stdin', value: Buffer.from('hello') } });
        requests.send({ part: { $case: 'closeStdin', value: {} } });
      }
    }
    expect(textOf(messages)).toBe('hello');
    const { id } = (await client.list({ all: true })).containers[0]!;
    expect(host.executor.find({ containerId: id, execId: '' })?.signals).toEqual([1]);
  });

  test('goes on where it was when the executor was away', async () => {
    const requests = new Outgoing(runMessage(['cat'], { stdinOpen: true }));
    const messages: RunAttachedResponse[] = [];
    let restarted = false;
    for await (const message of client.channel.bidi(Engine.runAttached, requests)) {
      messages.push(message);
      if (message.part?.$case === 'started') {
        requests.send({ part: { $case: 'stdin', value: Buffer.from('one ') } });
      }
      if (message.part?.$case === 'record' && !restarted) {
        restarted = true;
        await host.stopFake('executor');
        await host.startFake('executor');
        // What is on its way when an executor dies goes down with it, so the input waits for the next one.
        await waitFor(() => host.executor.attachments === 2);
        requests.send({ part: { $case: 'stdin', value: Buffer.from('two') } });
        requests.send({ part: { $case: 'closeStdin', value: {} } });
      }
    }
    expect(textOf(messages)).toBe('one two');
    expect(messages.at(-1)?.part?.$case).toBe('exit');
  });

  test('refuses a stream that does not begin with what to run', async () => {
    const requests = new Outgoing<RunAttachedRequest>({
      part: { $case: 'stdin', value: Buffer.from('x') },
    });
    await expect(
      Array.fromAsync(client.channel.bidi(Engine.runAttached, requests)),
    ).rejects.toMatchObject({ reason: 'INVALID_ARGUMENT' });
  });
});

describe('attach and logs', () => {
  test('attach tells where it begins, and ends with the exit', async () => {
    const { id } = await client.run(['cat'], { stdinOpen: true });
    const value = { container: id, fromOffset: 0 };
    const requests = new Outgoing({ part: { $case: 'attach' as const, value } });
    const kinds: (string | undefined)[] = [];
    for await (const { part } of client.channel.bidi(Engine.attachContainer, requests)) {
      kinds.push(part?.$case);
      if (part?.$case === 'attached') await client.stop(id);
    }
    expect(kinds).toEqual(['attached', 'exit']);
  });

  test('logs can be read of what runs and of what ended', async () => {
    const { id } = await client.run(['echo', 'hello'], {}, { wait: true });
    const request = ReadLogsRequest.create({ container: id, follow: true });
    const answers = await Array.fromAsync(client.channel.serverStream(Engine.readLogs, request));
    const records = answers.flatMap((answer) => answer.records);
    expect(records.map((record) => record.data.toString())).toEqual(['hello\n']);
    const created = await client.create(['echo', 'x']);
    const none = ReadLogsRequest.create({ container: created.id });
    expect(await Array.fromAsync(client.channel.serverStream(Engine.readLogs, none))).toEqual([]);
  });
});

describe('exec', () => {
  test('gives output and exit, and leaves nothing', async () => {
    const { id } = await client.run(['sleep']);
    const done = await client.exec(id, ['echo', 'inside']);
    expect(done).toMatchObject({ exit: { exitCode: 0 }, truncated: false });
    expect(done.stdout.toString()).toBe('inside\n');
    expect((await client.exec(id, ['complain', 'no'])).stderr.toString()).toBe('no\n');
    await host.settled();
    expect(host.holdings()['processes']).toEqual([`${id}/`]);
    expect(await client.actions(id)).toEqual(
      ['CREATED', 'STARTED'].concat(['EXEC_STARTED', 'EXEC_EXITED', 'EXEC_STARTED', 'EXEC_EXITED']),
    );
  });

  test('is refused where nothing runs', async () => {
    const { id } = await client.create(['sleep']);
    const reason = 'CONTAINER_NOT_RUNNING';
    await expect(client.exec(id, ['true'])).rejects.toMatchObject({ reason });
    const running = await client.run(['sleep']);
    await expect(client.exec(running.id, ['missing'])).rejects.toMatchObject({
      reason: 'PROGRAM_NOT_FOUND',
    });
  });

  test('attached passes input on and tells the exit last', async () => {
    const { id } = await client.run(['sleep']);
    const value = ExecContainerRequest.create({ container: id, spec: { args: ['cat'] } });
    const requests = new Outgoing<ExecAttachedRequest>({ part: { $case: 'exec', value } });
    const kinds: (string | undefined)[] = [];
    for await (const { part } of client.channel.bidi(Engine.execAttached, requests)) {
      kinds.push(part?.$case);
      if (part?.$case === 'started') {
        requests.send({ part: { $case: 'stdin', value: Buffer.from('x') } });
        requests.send({ part: { $case: 'closeStdin', value: {} } });
      }
    }
    expect(kinds).toEqual(['started', 'record', 'exit']);
  });

  test('that nobody waits for is recorded when it ends', async () => {
    const { id } = await client.run(['sleep']);
    const { execId } = await client.exec(id, ['sleep'], false);
    host.executor.find({ containerId: id, execId })?.end(3);
    await waitFor(async () => (await client.actions(id)).includes('EXEC_EXITED'), {
      timeoutMs: 5_000,
    });
  });
});
