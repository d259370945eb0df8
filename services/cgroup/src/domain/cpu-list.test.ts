import { expect, it } from 'vitest';
import { formatCpuList, parseCpuList } from './cpu-list.js';

it.each([
  ['0', '0'],
  ['0-3,7', '0-3,7'],
  ['7, 1,0,2\n', '0-2,7'],
  ['3-3,3', '3'],
])('%j is %s', (text, written) => {
  expect(formatCpuList(parseCpuList(text)!)).toBe(written);
});

it.each(['', '-1', '3-1', 'a', '0-', '0,,1', '8192', '0-99999'])('%j is no list', (text) => {
  expect(parseCpuList(text)).toBeUndefined();
});
