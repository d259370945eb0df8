import { expect, test } from 'vitest';
import { Breaker, REST_MS } from './breaker.js';

function breakerAt(): { breaker: Breaker; pass: (ms: number) => void } {
  let now = 1000;
  return { breaker: new Breaker(() => now), pass: (ms) => void (now += ms) };
}

test('lets everything through until a call gets no answer', () => {
  const { breaker } = breakerAt();
  expect([breaker.admit(), breaker.admit(), breaker.isOpen]).toEqual([true, true, false]);
  breaker.open();
  expect([breaker.admit(), breaker.isOpen, breaker.restMs]).toEqual([false, true, REST_MS]);
});

test('lets one call through after a rest, and the others by what it finds', () => {
  const { breaker, pass } = breakerAt();
  breaker.open();
  pass(REST_MS);
  expect([breaker.admit(), breaker.admit()]).toEqual([true, false]);
  breaker.close();
  expect([breaker.admit(), breaker.admit(), breaker.isOpen]).toEqual([true, true, false]);
});

test('rests again if that call gets no answer either', () => {
  const { breaker, pass } = breakerAt();
  breaker.open();
  pass(REST_MS);
  breaker.admit();
  breaker.open();
  pass(REST_MS - 1);
  expect(breaker.admit()).toBe(false);
  pass(1);
  expect(breaker.admit()).toBe(true);
});

test('waits for the one call not for ever: it may be a long one', () => {
  const { breaker, pass } = breakerAt();
  breaker.open();
  pass(REST_MS);
  breaker.admit();
  pass(10_000);
  expect([breaker.admit(), breaker.admit()]).toEqual([true, false]);
});
