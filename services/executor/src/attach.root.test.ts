import type { AttachProcessRequest, AttachProcessResponse, LogRecord } from '@teu/proto/executor';
import { ExecutorServiceService as Service, OutputStream } from '@teu/proto/executor';
import { waitFor } from '@teu/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { exampleProcess } from './testing/example-spec.js';
import { startTestExecutor, type TestExecutor } from './testing/test-executor.js';

let executor: TestExecutor;
beforeAll(async () => {
  executor = await startTestExecutor();
});
afterEach(() => executor.client.removeAll());
afterAll(() => executor.stop());

type Part = AttachProcessRequest['part'];

/** What a client got, all of it. */
async function collect(responses: AsyncIterable<AttachProcessResponse>) {
  const records: LogRecord[] = [];
  let attachedAt: number | undefined;
  let exit: number | undefined;
  for await (const { part } of responses) {
    if (part?.$case === 'attached') attachedAt = part.value.offset;
    if (part?.$case === 'record') records.push(part.value);
    if (part?.$case === 'exit') exit = part.value.exitCode;
  }
  const text = Buffer.concat(records.map(({ data }) => data)).toString();
  return { attachedAt, exit, records, text };
}

/** Input that can be given piece by piece. */
function typed() {
  const parts: Part[] = [];
  let wake = (): void => undefined;
  let isOver = false;
  async function* input(): AsyncGenerator<Part> {
    for (;;) {
      const part = parts.shift();
      if (part !== undefined) yield part;
      else if (isOver) return;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  }
  return {
    input: input(),
    send: (part: Part) => {
      parts.push(part);
      wake();
    },
    text: (value: string) => {
      parts.push({ $case: 'stdin', value: Buffer.from(value) });
      wake();
    },
    end: () => {
      isOver = true;
      wake();
    },
  };
}

describe('attaching', () => {
  it('gives input to the program and its output back, then the exit', async () => {
    const { client } = executor;
    const id = await client.launch(client.spec(['cat'], { stdinOpen: true }));
    const keys = typed();
    const result = collect(client.attach({ containerId: id }, keys.input));
    keys.text('hello\n');
    keys.text('world\n');
    keys.send({ $case: 'closeStdin', value: {} });
    expect(await result).toMatchObject({ attachedAt: 0, text: 'hello\nworld\n', exit: 0 });
  });

  it('replays from an offset, for any number of clients, also after the end', async () => {
    const { client } = executor;
    const id = await client.launch(['sh', '-c', 'echo one; echo two >&2; exit 4']);
    await client.wait(id);
    const first = await collect(client.attach({ containerId: id }));
    expect(first).toMatchObject({ attachedAt: 0, text: 'one\ntwo\n', exit: 4 });
    expect(first.records.map(({ stream }) => stream)).toEqual([
      OutputStream.OUTPUT_STREAM_STDOUT,
      OutputStream.OUTPUT_STREAM_STDERR,
    ]);
    const fromOffset = first.records[0]?.nextOffset ?? 0;
    const rest = await collect(client.attach({ containerId: id, fromOffset }));
    expect(rest).toMatchObject({ attachedAt: fromOffset, text: 'two\n', exit: 4 });
    const atEnd = await collect(client.attach({ containerId: id, fromOffset: -1 }));
    expect(atEnd).toMatchObject({ text: '', exit: 4 });
  });

  it('works for programs that joined', async () => {
    const { client } = executor;
    const id = await client.launch(['sleep', '1000']);
    const execId = await client.exec(
      id,
      exampleProcess(['sh', '-c', 'read x; echo got $x; exit 9'], { stdinOpen: true }),
    );
    const keys = typed();
    const result = collect(client.attach({ containerId: id, execId }, keys.input));
    keys.text('it\n');
    expect(await result).toMatchObject({ text: 'got it\n', exit: 9 });
  });

  it('has a terminal with a size that can change', async () => {
    const { client } = executor;
    const script = 'stty size; read x; stty size; tty';
    const spec = client.spec(['sh', '-c', script], {
      terminal: true,
      stdinOpen: true,
      consoleSize: { height: 30, width: 100 },
    });
    const id = await client.launch(spec);
    const keys = typed();
    const result = collect(client.attach({ containerId: id }, keys.input));
    await waitFor(async () => (await client.logText(id)).includes('30 100'), {
      what: 'the first size',
    });
    keys.send({ $case: 'resize', value: { height: 40, width: 120 } });
    keys.text('\n');
    expect((await result).text.replaceAll('\r', '')).toBe('30 100\n\n40 120\n/dev/pts/0\n');
  });

  it('is refused without a process, without a first message, and without input', async () => {
    const { client } = executor;
    const unknown = collect(client.attach({ containerId: 'f'.repeat(64) }));
    await expect(unknown).rejects.toMatchObject({ reason: 'CONTAINER_NOT_FOUND' });
    const id = await client.launch(['sleep', '1000']);
    const keys = typed();
    keys.text('x');
    const closed = collect(client.attach({ containerId: id }, keys.input));
    await expect(closed).rejects.toMatchObject({ reason: 'STDIN_CLOSED' });
    async function* wrong(): AsyncGenerator<AttachProcessRequest> {
      yield { part: { $case: 'closeStdin', value: {} } };
    }
    const first = collect(client.channel.bidi(Service.attachProcess, wrong()));
    await expect(first).rejects.toMatchObject({ reason: 'INVALID_ARGUMENT' });
    const resize = client.channel.unary(Service.resizeTerminal, {
      containerId: id,
      execId: '',
      size: { height: 1, width: 1 },
    });
    await expect(resize).rejects.toMatchObject({ reason: 'NO_TERMINAL' });
  });
});

/** Waits until a number that grew has stopped growing. */
async function settled(read: () => number | Promise<number>): Promise<void> {
  let before = -1;
  const isStill = async () => {
    const last = before;
    before = await read();
    return before > 0 && before === last;
  };
  await waitFor(isStill, { what: 'it stands still', intervalMs: 150 });
}

describe('back-pressure', () => {
  const MEGABYTES = 40;

  it('loses nothing of a flood, although the log keeps less than that', async () => {
    const { client } = executor;
    const script = `dd if=/dev/zero bs=1048576 count=${MEGABYTES} 2>/dev/null | tr '\\0' x`;
    const id = await client.launch(
      client.spec(['sh', '-c', `read go; ${script}`], { stdinOpen: true }),
    );
    const keys = typed();
    keys.text('go\n');
    let bytes = 0;
    let next = 0;
    for await (const { part } of client.attach({ containerId: id, lossless: true }, keys.input)) {
      if (part?.$case !== 'record') continue;
      expect(part.value.offset).toBe(next);
      next = part.value.nextOffset;
      bytes += part.value.data.length;
    }
    expect(bytes).toBe(MEGABYTES * 1024 * 1024);
  });

  it('holds a program up whose client does not read, and lets it go on when the client leaves', async () => {
    const { client } = executor;
    const spec = client.spec(['sh', '-c', 'read go; yes; true'], { stdinOpen: true });
    const id = await client.launch(spec, { segmentBytes: 65536, segmentCount: 2 });
    const keys = typed();
    keys.text('go\n');
    const leave = new AbortController();
    const output = client.attach({ containerId: id, lossless: true }, keys.input, leave.signal);
    await output.next();
    const size = async () => (await client.log(id, { tailLines: 1 })).at(-1)?.nextOffset ?? 0;
    await settled(size);
    const before = await size();
    leave.abort();
    await waitFor(async () => (await size()) > before, { what: 'it goes on' });
  });

  it('holds a client up whose program does not read', async () => {
    const { client } = executor;
    const id = await client.launch(client.spec(['sleep', '1000'], { stdinOpen: true }));
    let sent = 0;
    const piece = Buffer.alloc(64 * 1024);
    async function* endless(): AsyncGenerator<Part> {
      for (;;) {
        yield { $case: 'stdin', value: piece };
        sent += piece.length;
      }
    }
    const leave = new AbortController();
    const output = client.attach({ containerId: id }, endless(), leave.signal);
    await output.next();
    await settled(() => sent);
    expect(sent).toBeLessThan(32 * 1024 * 1024);
    leave.abort();
  });
});
