import { expect, test } from 'vitest';
import { parseStorageOptions } from './storage-options.js';

test('a root file system has the size that is asked for', () => {
  expect(parseStorageOptions([])).toBe(0);
  expect(parseStorageOptions(['size=10g'])).toBe(10 * 1024 ** 3);
  expect(parseStorageOptions(['size=1m', 'size=64m'])).toBe(64 * 1024 ** 2);
});

test.each([
  ['sise=1g', /no storage option "sise"/],
  ['overlay2.size=1g', /no storage option/],
  ['size', /needs a value/],
  ['size=', /invalid size ""/],
  ['size=lots', /invalid size "lots"/],
  ['size=-1', /invalid size/],
  ['size=0', /holds nothing/],
  ['', /no storage option ""/],
])('%j is no storage option', (pair, message) => {
  expect(() => parseStorageOptions([pair])).toThrow(message);
});
