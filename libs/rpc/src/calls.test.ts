import { describe, expect, test } from 'vitest';
import { connect, type CallContext } from './index.js';
import { callKinds, collect, EchoService, startEcho, streamOf, until } from './test/echo.js';

describe('calls', () => {
  test.each(Object.entries(callKinds))('%s gives back what it got', async (_kind, call) => {
    await using echo = await startEcho();
    expect(await call(echo.channel, 'hello')).toEqual(['hello']);
  });

  test('keep the order of many messages both ways', async () => {
    await using echo = await startEcho();
    const notes = Array.from({ length: 2000 }, (_, index) => ({ text: String(index) }));
    const answers = await collect(echo.channel.bidi(EchoService.both, streamOf(...notes)));
    expect(answers).toEqual(notes);
    const joined = await echo.channel.clientStream(EchoService.in, streamOf(...notes));
    expect(joined.text.split(' ')).toHaveLength(2000);
  });

  test('empty streams end well', async () => {
    await using echo = await startEcho({
      async *out() {
        // nothing to say
      },
    });
    expect(await collect(echo.channel.serverStream(EchoService.out, { text: '' }))).toEqual([]);
    expect(await collect(echo.channel.bidi(EchoService.both, streamOf()))).toEqual([]);
    expect(await echo.channel.clientStream(EchoService.in, streamOf())).toEqual({ text: '' });
  });

  test('tell the handler who calls, by when, and under which request id', async () => {
    let seen: CallContext | undefined;
    await using echo = await startEcho({
      one: async (note, context) => {
        seen = context;
        return note;
      },
    });
    await echo.channel.unary(
      EchoService.one,
      { text: '' },
      { timeoutMs: 3000, requestId: 'request-7' },
    );
    expect(seen?.peer).toEqual({
      pid: process.pid,
      uid: process.geteuid?.(),
      gid: process.getegid?.(),
    });
    expect(seen?.requestId).toBe('request-7');
    const leftMs = (seen?.deadline?.getTime() ?? 0) - Date.now();
    expect(leftMs).toBeGreaterThan(0);
    expect(leftMs).toBeLessThanOrEqual(3000);
  });

  test('a malformed request is INVALID_ARGUMENT, a malformed answer INTERNAL', async () => {
    await using echo = await startEcho();
    const broken = { ...EchoService.one, requestSerialize: () => Buffer.from('{') };
    await expect(echo.channel.unary(broken, { text: '' })).rejects.toMatchObject({
      reason: 'INVALID_ARGUMENT',
    });
    const deaf = {
      ...EchoService.out,
      responseDeserialize: (): never => {
        throw new Error('what?');
      },
    };
    await expect(collect(echo.channel.serverStream(deaf, { text: '' }))).rejects.toMatchObject({
      reason: 'INTERNAL',
    });
  });

  test('an answer or a request over 4 MiB is RESOURCE_EXHAUSTED', async () => {
    const big = 'x'.repeat(5 * 1024 * 1024);
    await using echo = await startEcho({
      one: async () => ({ text: big }),
      async *out() {
        yield { text: big };
      },
    });
    for (const call of [callKinds.unary, callKinds.serverStream]) {
      await expect(call(echo.channel, 'x')).rejects.toMatchObject({ reason: 'RESOURCE_EXHAUSTED' });
    }
    for (const call of [callKinds.unary, callKinds.clientStream, callKinds.bidi]) {
      await expect(call(echo.channel, big)).rejects.toMatchObject({ reason: 'RESOURCE_EXHAUSTED' });
    }
    // The connection still works.
    await using second = await startEcho();
    expect(await callKinds.unary(second.channel, 'x')).toEqual(['x']);
  });

  test('a method that nobody serves is UNIMPLEMENTED', async () => {
    await using echo = await startEcho();
    const unknown = { ...EchoService.one, path: '/teu.test.v1.EchoService/Nothing' };
    await expect(echo.channel.unary(unknown, { text: '' })).rejects.toMatchObject({
      reason: 'UNIMPLEMENTED',
    });
  });
});

describe('a service that is away', () => {
  test('fails calls at once, without its path in the text', async () => {
    const channel = connect('unix:/nonexistent/image.sock');
    const begin = performance.now();
    const error = await channel
      .unary(EchoService.one, { text: '' })
      .catch((caught: unknown) => caught as Error);
    expect(error).toMatchObject({ reason: 'UNAVAILABLE', message: 'image is not available' });
    expect(performance.now() - begin).toBeLessThan(1000);
    channel.close();
  });

  test('is found again soon after it came back, and at once by a call that waits', async () => {
    const first = await startEcho();
    const channel = connect(first.address);
    await channel.unary(EchoService.one, { text: '' });
    await first.server.close(0);
    await expect(channel.unary(EchoService.one, { text: '' })).rejects.toMatchObject({
      reason: 'UNAVAILABLE',
    });
    const waiting = channel.unary(EchoService.one, { text: 'here' }, { waitForReady: true });
    await using second = await startEcho({}, { address: first.address });
    expect(second.address).toBe(first.address);
    expect(await waiting).toEqual({ text: 'here' });
    channel.close();
    await first[Symbol.asyncDispose]();
  });

  test('is waited for no longer than the call may take', async () => {
    const channel = connect('unix:/nonexistent/image.sock');
    await expect(
      channel.unary(EchoService.one, { text: '' }, { waitForReady: true, timeoutMs: 50 }),
    ).rejects.toMatchObject({ reason: 'DEADLINE_EXCEEDED' });
    channel.close();
  });
});

describe('a caller that gives up', () => {
  test.each(['one', 'out', 'in', 'both'] as const)(
    'aborts the signal of the handler: %s',
    async (kind) => {
      const states: string[] = [];
      const wait = async (context: CallContext): Promise<never> => {
        states.push('started');
        await new Promise((resolve) => {
          context.signal.addEventListener('abort', resolve, { once: true });
        });
        states.push('aborted');
        throw context.signal.reason;
      };
      await using echo = await startEcho({
        one: (_note, context) => wait(context),
        async *out(note, context) {
          yield note;
          await wait(context);
        },
        in: (_notes, context) => wait(context),
        async *both(_notes, context) {
          yield { text: 'first' };
          await wait(context);
        },
      });
      const controller = new AbortController();
      const { signal } = controller;
      const endless = (async function* () {
        yield { text: '' };
        await new Promise(() => undefined);
      })();
      const { channel } = echo;
      const calls = {
        one: () => channel.unary(EchoService.one, { text: '' }, { signal }),
        out: () => collect(channel.serverStream(EchoService.out, { text: '' }, { signal })),
        in: () => channel.clientStream(EchoService.in, endless, { signal }),
        both: () => collect(channel.bidi(EchoService.both, endless, { signal })),
      };
      const call: Promise<unknown> = calls[kind]();
      const outcome = call.catch((error: unknown) => error);
      await until(() => states.includes('started'));
      controller.abort();
      expect(await outcome).toMatchObject({ reason: 'CANCELLED' });
      await until(() => states.includes('aborted'));
    },
  );

  test('with a signal that is aborted already is not served', async () => {
    await using echo = await startEcho();
    await expect(
      echo.channel.unary(EchoService.one, { text: '' }, { signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({ reason: 'CANCELLED' });
  });

  test('by its deadline aborts the signal with that reason', async () => {
    let reason: unknown;
    await using echo = await startEcho({
      one: (_note, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            reason = signal.reason;
            reject(signal.reason as Error);
          });
        }),
    });
    await expect(
      echo.channel.unary(EchoService.one, { text: '' }, { timeoutMs: 40 }),
    ).rejects.toMatchObject({ reason: 'DEADLINE_EXCEEDED' });
    await until(() => reason !== undefined);
    expect(reason).toMatchObject({ reason: 'DEADLINE_EXCEEDED' });
  });

  test('by ending its iteration early runs the finally of the generator', async () => {
    let cleaned = false;
    await using echo = await startEcho({
      async *out(note) {
        try {
          for (;;) yield note;
        } finally {
          cleaned = true;
        }
      },
    });
    for await (const note of echo.channel.serverStream(EchoService.out, { text: 'x' })) {
      expect(note.text).toBe('x');
      break;
    }
    await until(() => cleaned);
  });

  test('returns the iterable that it was sending', async () => {
    let released = false;
    await using echo = await startEcho({ in: async () => ({ text: 'enough' }) });
    const requests = (async function* () {
      try {
        for (;;) yield { text: 'x' };
      } finally {
        released = true;
      }
    })();
    expect(await echo.channel.clientStream(EchoService.in, requests)).toEqual({ text: 'enough' });
    await until(() => released);
  });

  test.each([1, 100])('loses no answer when the peer ends first: %i unread', async (count) => {
    await using echo = await startEcho({
      async *both() {
        for (let index = 0; index < count; index += 1) yield { text: String(index) };
      },
    });
    for (let round = 0; round < 20; round += 1) {
      const endless = (async function* () {
        for (;;) yield { text: 'stdin' };
      })();
      const answers: string[] = [];
      for await (const note of echo.channel.bidi(EchoService.both, endless)) {
        answers.push(note.text);
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(answers).toHaveLength(count);
    }
  });

  test('an error of the iterable that it sends is its own error', async () => {
    await using echo = await startEcho();
    const failing = (async function* () {
      yield { text: 'x' };
      throw new RangeError('mine');
    })();
    await expect(echo.channel.clientStream(EchoService.in, failing)).rejects.toThrow(RangeError);
    const failingToo = (async function* () {
      yield { text: 'x' };
      throw new RangeError('mine');
    })();
    await expect(collect(echo.channel.bidi(EchoService.both, failingToo))).rejects.toThrow(
      RangeError,
    );
  });
});

describe('a unary call without a deadline', () => {
  const untilAborted = (_note: unknown, { signal }: CallContext): Promise<never> =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error));
    });

  test('ends after maxUnaryMs', async () => {
    await using echo = await startEcho({ one: untilAborted }, { maxUnaryMs: 30 });
    await expect(
      echo.channel.unary(EchoService.one, { text: '' }, { timeoutMs: Infinity }),
    ).rejects.toMatchObject({ reason: 'DEADLINE_EXCEEDED' });
  });

  test('goes on if its method is long-running', async () => {
    let release: (() => void) | undefined;
    await using echo = await startEcho(
      {
        one: async (note) => {
          if (note.text === 'long') await new Promise<void>((resolve) => (release = resolve));
          else await new Promise(() => undefined);
          return note;
        },
      },
      { maxUnaryMs: 1, longRunning: ['one'] },
    );
    const call = echo.channel.unary(EchoService.one, { text: 'long' }, { timeoutMs: Infinity });
    await until(() => release !== undefined);
    // Longer than maxUnaryMs: another call's deadline passes in the meantime.
    await expect(
      echo.channel.unary(EchoService.one, { text: '' }, { timeoutMs: 20 }),
    ).rejects.toMatchObject({ reason: 'DEADLINE_EXCEEDED' });
    release?.();
    expect(await call).toEqual({ text: 'long' });
  });
});
