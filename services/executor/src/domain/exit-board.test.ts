import { ContainerProcess } from '@teu/proto/executor';
import { expect, it } from 'vitest';
import { ExitBoard } from './exit-board.js';

const exitOf = (containerId: string) => ContainerProcess.create({ containerId });

it('tells each watcher all exits from its beginning on', async () => {
  const board = new ExitBoard();
  const end = new AbortController();
  const first = board.watch(end.signal)[Symbol.asyncIterator]();
  board.publish(exitOf('a'));
  const second = board.watch(end.signal)[Symbol.asyncIterator]();
  board.publish(exitOf('b'));
  expect((await first.next()).value).toMatchObject({ containerId: 'a' });
  expect((await first.next()).value).toMatchObject({ containerId: 'b' });
  expect((await second.next()).value).toMatchObject({ containerId: 'b' });
  const waiting = first.next();
  end.abort();
  expect(await waiting).toMatchObject({ done: true });
  expect(await second.next()).toMatchObject({ done: true });
  expect(board.watcherCount).toBe(0);
});

it('ends a watcher that does not read, and no other', async () => {
  const board = new ExitBoard();
  const { signal } = new AbortController();
  const slow = board.watch(signal)[Symbol.asyncIterator]();
  const quick = board.watch(signal)[Symbol.asyncIterator]();
  for (let index = 0; index < 5000; index += 1) {
    board.publish(exitOf(String(index)));
    expect((await quick.next()).value).toMatchObject({ containerId: String(index) });
  }
  await expect(slow.next()).rejects.toMatchObject({ reason: 'RESOURCE_EXHAUSTED' });
  expect(board.watcherCount).toBe(1);
});
