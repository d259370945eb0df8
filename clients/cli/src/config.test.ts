import { expect, test } from 'vitest';
import { startTimeoutOf } from './config.js';

test('a service has 15 s to start in, or as many as a slow machine is given', () => {
  expect(startTimeoutOf({})).toBe(15_000);
  expect(startTimeoutOf({ TEU_UP_START_TIMEOUT: '' })).toBe(15_000);
  expect(startTimeoutOf({ TEU_UP_START_TIMEOUT: '600' })).toBe(600_000);
});

test.each(['0', '3601', '1.5', 'long'])('refuses %s', (text) => {
  expect(() => startTimeoutOf({ TEU_UP_START_TIMEOUT: text })).toThrow(/TEU_UP_START_TIMEOUT/);
});
