import { expect, test } from 'vitest';
import { DetachKeys } from './detach-keys.js';
import { InputQueue } from './input-queue.js';

const bytes = (...keys: number[]) => Uint8Array.from(keys);

test('Ctrl-P Ctrl-Q detaches, also in two pieces', () => {
  const keys = new DetachKeys();
  expect([...keys.filter(bytes(0x61, 0x10))]).toEqual([0x61]);
  expect(keys.pressed).toBe(false);
  expect([...keys.filter(bytes(0x11, 0x62))]).toEqual([]);
  expect(keys.pressed).toBe(true);
});

test('Ctrl-P before another key reaches the program', () => {
  const keys = new DetachKeys();
  expect([...keys.filter(bytes(0x10, 0x10, 0x61))]).toEqual([0x10, 0x10, 0x61]);
  expect(keys.pressed).toBe(false);
});

test('a queue makes its writer wait for the reader, and ends', async () => {
  const queue = new InputQueue<number>();
  const taken: string[] = [];
  const writer = queue.push(1).then(() => taken.push('one taken'));
  void queue.push(2);
  const reader = queue[Symbol.asyncIterator]();
  expect(taken).toEqual([]);
  expect(await reader.next()).toEqual({ value: 1, done: false });
  await writer;
  expect(taken).toEqual(['one taken']);
  expect(await reader.next()).toEqual({ value: 2, done: false });
  const waiting = reader.next();
  queue.end();
  expect((await waiting).done).toBe(true);
  await queue.push(3);
});
