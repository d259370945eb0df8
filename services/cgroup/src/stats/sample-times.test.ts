import { expect, it } from 'vitest';
import { nextSampleTime } from './sample-times.js';

it('streams of one interval meet, at whole intervals', () => {
  expect(nextSampleTime(10_000, 1000)).toBe(11_000);
  expect(nextSampleTime(10_499, 1000)).toBe(11_000);
  expect(nextSampleTime(10_501, 1000)).toBe(12_000);
});

it('a gap is never shorter than half an interval, nor longer than one and a half', () => {
  for (let now = 0; now < 500; now += 7) {
    const gap = nextSampleTime(now, 100) - now;
    expect(gap).toBeGreaterThanOrEqual(50);
    expect(gap).toBeLessThan(150);
  }
});
