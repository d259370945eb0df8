import { expect, test } from 'vitest';
import { generateContainerName } from './container-names.js';

test('a name is two words that a container may be called', () => {
  expect(generateContainerName(() => false)).toMatch(/^[a-z]+_[a-z]+$/);
});

test('a name is found however many are taken', () => {
  const taken = new Set<string>();
  for (let i = 0; i < 20_000; i += 1) {
    const name = generateContainerName((candidate) => taken.has(candidate));
    expect(taken.has(name)).toBe(false);
    taken.add(name);
  }
});
