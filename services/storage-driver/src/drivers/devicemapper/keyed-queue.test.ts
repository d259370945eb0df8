import { expect, it } from 'vitest';
import { KeyedQueue } from './keyed-queue.js';

it('does one thing of a key after the other, whatever came of it, and keys side by side', async () => {
  const queue = new KeyedQueue();
  const order: string[] = [];
  const gate = Promise.withResolvers<undefined>();
  const first = queue.run(1, async () => {
    await gate.promise;
    order.push('first');
    throw new Error('fails');
  });
  const second = queue.run(1, async () => order.push('second'));
  await queue.run(2, async () => order.push('other'));
  gate.resolve(undefined);
  await expect(first).rejects.toThrow('fails');
  await second;
  await queue.run(1, async () => order.push('third'));
  expect(order).toEqual(['other', 'first', 'second', 'third']);
});
