import { expect, test } from 'vitest';
import { EchoService, startEcho, until, type Note } from './test/echo.js';

const KILOBYTE_64 = 'x'.repeat(64 * 1024);
/** What may lie between two ends: the flow control window, and what each side keeps. */
const IN_FLIGHT_MAX = 12 * 1024 * 1024;

/** Lets everything that can go on go on, until nothing moves. */
async function settle(count: () => number): Promise<number> {
  for (let last = -1; ;) {
    for (let round = 0; round < 200; round += 1)
      await new Promise((resolve) => setImmediate(resolve));
    if (count() === last) return last;
    last = count();
  }
}

test('a slow reader holds the handler up', async () => {
  let produced = 0;
  await using echo = await startEcho({
    async *out() {
      for (;;) {
        produced += KILOBYTE_64.length;
        yield { text: KILOBYTE_64 };
      }
    },
  });
  const stream = echo.channel.serverStream(EchoService.out, { text: '' });
  await stream.next();
  const held = await settle(() => produced);
  expect(held).toBeLessThan(IN_FLIGHT_MAX);
  for (let index = 0; index < 200; index += 1) await stream.next();
  await until(() => produced > held);
  await stream.return?.();
});

test('a slow handler holds the caller up', async () => {
  let sent = 0;
  let taken = 0;
  let goOn: (() => void) | undefined;
  await using echo = await startEcho({
    in: async (notes) => {
      for await (const note of notes) {
        if (note.text !== '') taken += 1;
        if (taken === 1) await new Promise<void>((resolve) => (goOn = resolve));
      }
      return { text: String(taken) };
    },
  });
  const requests = (async function* (): AsyncGenerator<Note> {
    for (let index = 0; index < 500; index += 1) {
      sent += KILOBYTE_64.length;
      yield { text: KILOBYTE_64 };
    }
  })();
  const call = echo.channel.clientStream(EchoService.in, requests);
  await until(() => goOn !== undefined);
  expect(await settle(() => sent)).toBeLessThan(IN_FLIGHT_MAX);
  goOn?.();
  expect(await call).toEqual({ text: '500' });
});
