import { setTimeout as delay } from 'node:timers/promises';
import { waitFor } from '@teu/testing';
import { afterEach, expect, test } from 'vitest';
import { SampleWheel, STEP_MS, type Sampled } from './sample-wheel.js';

const errors: unknown[] = [];
const wheel = new SampleWheel((error) => errors.push(error));
afterEach(() => wheel.close());

class Item implements Sampled {
  readonly times: number[] = [];
  readonly #pauses: (number | undefined)[];

  constructor(...pauses: (number | undefined)[]) {
    this.#pauses = pauses;
  }

  sample(): number | undefined {
    this.times.push(performance.now());
    return this.#pauses[this.times.length - 1];
  }
}

test('each is looked at at its own pace, never sooner than asked for', async () => {
  const often = new Item(25, 25, 25, 25);
  const seldom = new Item(300);
  const begin = performance.now();
  wheel.plan(seldom, 100);
  wheel.plan(often, 25);
  await waitFor(() => seldom.times.length === 2 && often.times.length === 5);
  expect(seldom.times[0]! - begin).toBeGreaterThan(75);
  expect(seldom.times[1]! - seldom.times[0]!).toBeGreaterThan(275);
  for (const [index, time] of often.times.slice(1).entries()) {
    expect(time - often.times[index]!).toBeGreaterThan(0);
  }
});

test('one that is removed is not looked at, and one planned anew only then', async () => {
  const removed = new Item();
  const moved = new Item();
  wheel.plan(removed, 25);
  wheel.plan(moved, 25);
  const begin = performance.now();
  wheel.plan(moved, 150);
  wheel.remove(removed);
  await waitFor(() => moved.times.length === 1);
  // Steps begin where they like.
  expect(moved.times[0]! - begin).toBeGreaterThan(150 - STEP_MS);
  expect(removed.times).toEqual([]);
});

test('after a pause of the process each is looked at once', async () => {
  const item = new Item(25, undefined);
  wheel.plan(item, 25);
  const end = performance.now() + 200;
  while (performance.now() < end);
  await waitFor(() => item.times.length === 2);
  await delay(0);
  expect(item.times).toHaveLength(2);
});

test('one that fails is not looked at again, and keeps no other from its turn', async () => {
  const failing: Sampled = {
    sample: () => {
      throw new Error('no');
    },
  };
  const item = new Item();
  wheel.plan(failing, 25);
  wheel.plan(item, 25);
  await waitFor(() => item.times.length === 1);
  expect(errors).toEqual([new Error('no')]);
});

test('looks after long pauses meet, so that they do not wake the process one by one', async () => {
  const items = Array.from({ length: 20 }, () => new Item());
  for (const [index, item] of items.entries()) wheel.plan(item, 300 + index * 10);
  await waitFor(() => items.every(({ times }) => times.length === 1));
  const times = items.map((item) => item.times[0]!).sort((one, other) => one - other);
  // Looked at one by one they would be a step apart.
  const gaps = times.slice(1).filter((time, index) => time - times[index]! > STEP_MS / 3);
  expect(gaps.length).toBeLessThan(10);
});

test('one that takes long makes others late, and nothing worse', async () => {
  const warnings: Error[] = [];
  const note = (warning: Error) => warnings.push(warning);
  process.on('warning', note);
  const slow: Sampled = {
    sample: () => {
      const end = performance.now() + 8 * STEP_MS;
      while (performance.now() < end);
      return undefined;
    },
  };
  const items = [1, 2, 3, 4].map(() => new Item());
  wheel.plan(slow, STEP_MS);
  for (const [index, item] of items.entries()) wheel.plan(item, (2 + index) * STEP_MS);
  await waitFor(() => items.every(({ times }) => times.length === 1));
  await delay(0);
  process.off('warning', note);
  expect(warnings).toEqual([]);
});
