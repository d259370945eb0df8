import { expect, test } from 'vitest';
import { MemoryIntegral } from './memory-integral.js';

const MIB = 2 ** 20;

test('memory between two samples changes evenly, and before the first was as much', () => {
  const memory = new MemoryIntegral(1_000);
  memory.add(2_000, 100);
  memory.add(4_000, 200);
  expect(memory.total(4_000, 200, 0)).toBe(100 + 300);
  expect(memory.total(5_000, 200, 0)).toBe(100 + 300 + 200);
  expect(memory.highest).toBe(200);
});

test('a run without a sample counts with its peak', () => {
  expect(new MemoryIntegral(1_000).total(1_500, 80, 0)).toBe(40);
  const late = new MemoryIntegral(1_000);
  late.add(2_000, 10);
  expect(late.total(1_500, 80, 0)).toBe(40);
});

test('samples that were taken after the end do not count', () => {
  const memory = new MemoryIntegral(0);
  memory.add(1_000, 100);
  memory.add(2_000, 100);
  memory.add(3_000, 0);
  expect(memory.total(2_500, 100, 0)).toBe(250);
  expect(memory.total(1_500, 100, 0)).toBe(150);
});

test('what rose where nobody looked rose at the end, unless it had been seen to rise before', () => {
  const memory = new MemoryIntegral(0);
  memory.add(100, 10);
  expect(memory.total(200, 1_000, 0)).toBeCloseTo(1 + 0.1 * 505);
  expect(memory.total(200, 12, 0)).toBeCloseTo(2);
  expect(memory.total(200, 1_000, 1_000)).toBeCloseTo(2);
});

test('it goes on with the last sample of an earlier process', () => {
  const before = new MemoryIntegral(0);
  before.add(1_000, 50);
  const memory = new MemoryIntegral(0, before.last);
  memory.add(3_000, 150);
  expect(memory.total(3_000, 150, 0)).toBe(50 + 200);
});

test('an end that is told of very late counts as much as was used until then', () => {
  const memory = new MemoryIntegral(0);
  for (let second = 1; second <= 2_000; second += 1) memory.add(second * 1_000, 10);
  expect(memory.total(1_000, 99, 0)).toBe(10);
});

test('what was in use after the end does not count, however often it was looked at', () => {
  const memory = new MemoryIntegral(0);
  memory.add(1_000, 100);
  memory.add(2_000, 100);
  memory.goesOn();
  memory.add(3_000, 100);
  for (let n = 1; n <= 100; n += 1) memory.add(3_000 + n * 10, 100 - n);
  expect(memory.total(3_000, 100, 0)).toBe(300);
  expect(memory.total(2_500, 100, 0)).toBe(250);
  expect(memory.total(1_500, 100, 0)).toBe(150);
});

test('a run that ended before the last sample of an earlier process counts as far as it had come', () => {
  const before = new MemoryIntegral(0);
  before.add(1_000, 50);
  before.add(5_000, 10);
  const memory = new MemoryIntegral(0, before.last);
  memory.add(6_000, 10);
  expect(memory.total(4_000, 1_000_000, 0)).toBe(50 + 120 - 10);
  expect(new MemoryIntegral(0, before.last).total(4_000, 1_000_000, 0)).toBe(50 + 120 - 10);
});

test('a clock that stands still adds nothing', () => {
  const memory = new MemoryIntegral(0);
  memory.add(1_000, 10);
  memory.add(1_000, 1_000_000);
  expect(memory.now(1_000)).toBe(10);
});

test('what the end has freed counts with the mean of at once and evenly since the last sample', () => {
  const memory = new MemoryIntegral(0);
  memory.add(1_000, 64 * MIB);
  // All of the last 16 ms may have been spent on freeing it.
  expect(memory.total(1_016, 64 * MIB, 0, 0) / MIB).toBeCloseTo(64 + 0.016 * 64 * 0.75);
  // Of a whole second no more than 64 ms.
  expect(memory.total(2_000, 64 * MIB, 0, 0) / MIB).toBeCloseTo(64 + 64 - 0.064 * 64 * 0.25);
  expect(memory.total(1_016, 64 * MIB, 0, 32 * MIB) / MIB).toBeCloseTo(
    64 + 0.016 * 32 + 0.016 * 32 * 0.75,
  );
});

test('what is still in use after the end, or more of it, was not freed', () => {
  const memory = new MemoryIntegral(0);
  memory.add(1_000, 64 * MIB);
  for (const rest of [64 * MIB, 80 * MIB, undefined]) {
    expect(memory.total(1_016, 64 * MIB, 0, rest) / MIB).toBeCloseTo(64 + 0.016 * 64);
  }
});
