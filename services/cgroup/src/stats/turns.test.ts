import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Turns } from './turns.js';

const spin = (ms: number): void => {
  const end = performance.now() + ms;
  while (performance.now() < end);
};

it('others have a turn between those of all who work', async () => {
  const turns = new Turns();
  const order: string[] = [];
  const work = (name: string) =>
    turns.run(6, () => {
      order.push(name);
      spin(3);
    });
  const working = Promise.all([work('a'), work('b')]);
  while (order.filter((name) => name !== 'other').length < 12) {
    order.push('other');
    await setImmediate();
  }
  await working;
  // Two steps of 3 ms fill a turn of 5 ms.
  const turnsOfAll = order
    .join(' ')
    .split('other')
    .map((turn) => turn.trim().split(' ').filter(Boolean));
  for (const turn of turnsOfAll) expect(turn.length).toBeLessThanOrEqual(2);
  expect(turns.busyMs).toBeGreaterThanOrEqual(36);
});

it('ends when it is told to', async () => {
  const abort = new AbortController();
  let count = 0;
  await new Turns().run(1000, () => (++count === 3 ? abort.abort() : spin(6)), abort.signal);
  expect(count).toBe(3);
});

it('passes on what a step throws, and goes on for others', async () => {
  const turns = new Turns();
  const failing = turns.run(1, () => {
    throw new Error('broken');
  });
  await expect(failing).rejects.toThrow('broken');
  let count = 0;
  await turns.run(5, () => void (count += 1));
  expect(count).toBe(5);
});
