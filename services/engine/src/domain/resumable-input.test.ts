import { expect, test } from 'vitest';
import { ResumableInput } from './resumable-input.js';

test('what one stream did not take goes to the next', async () => {
  const source = async function* () {
    yield 1;
    yield 2;
    yield 3;
  };
  const input = new ResumableInput(source());
  const broken = new AbortController();
  for await (const value of input.read(broken.signal)) {
    expect(value).toBe(1);
    broken.abort();
  }
  expect(await Array.fromAsync(input.read(new AbortController().signal))).toEqual([2, 3]);
});

test('a stream that ends while the client is silent lets its message go to the next', async () => {
  const gate = Promise.withResolvers<undefined>();
  const source = async function* () {
    await gate.promise;
    yield 'late';
  };
  const input = new ResumableInput(source());
  const broken = new AbortController();
  const nothing = Array.fromAsync(input.read(broken.signal));
  broken.abort();
  expect(await nothing).toEqual([]);
  gate.resolve(undefined);
  expect(await Array.fromAsync(input.read(new AbortController().signal))).toEqual(['late']);
});
