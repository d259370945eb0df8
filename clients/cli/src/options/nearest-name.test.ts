import { expect, test } from 'vitest';
import { nearestName } from './nearest-name.js';

const names = ['run', 'rm', 'rmi', 'restart', 'images', 'inspect', '--memory', '-m'];

test('a letter swapped, left out or added is forgiven', () => {
  expect(nearestName('rnu', names)).toBe('run');
  expect(nearestName('image', names)).toBe('images');
  expect(nearestName('inspectt', names)).toBe('inspect');
  expect(nearestName('--memroy', names)).toBe('--memory');
});

test('what is far from all is nothing', () => {
  expect(nearestName('deploy', names)).toBeUndefined();
  expect(nearestName('x', names)).toBeUndefined();
});
