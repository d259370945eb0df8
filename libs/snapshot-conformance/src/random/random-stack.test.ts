import { describe, expect, it } from 'vitest';
import { randomStack } from './random-stack.js';
import { SeededRandom } from './seeded-random.js';

const ALL = { xattrs: true, hardLinksAcrossLayers: true, exactAttributes: true, allNames: true };
const NONE = {
  xattrs: false,
  hardLinksAcrossLayers: false,
  exactAttributes: false,
  allNames: false,
};
const SEEDS = Array.from({ length: 200 }, (_, index) => `seed ${index}`);

describe('random layers', () => {
  it('are the same for the same seed, and others for another', () => {
    expect(randomStack('a', ALL)).toEqual(randomStack('a', ALL));
    expect(randomStack('a', ALL)).not.toEqual(randomStack('b', ALL));
  });

  it('are 2 to 8 layers, with changes of every kind', () => {
    const stacks = SEEDS.map((seed) => randomStack(seed, ALL));
    const counts = stacks.map((layers) => layers.length);
    expect([Math.min(...counts), Math.max(...counts)]).toEqual([2, 8]);
    const kinds = new Set(stacks.flat(2).map((operation) => operation.do));
    expect([...kinds].sort()).toEqual(
      [
        ...['append', 'chmod', 'chown', 'link', 'mkdir', 'node', 'patch', 'remove', 'remove-xattr'],
        ...['rename', 'set-xattr', 'symlink', 'truncate', 'utime', 'write'],
      ].sort(),
    );
  });

  it('use only what a driver declares', () => {
    const operations = SEEDS.flatMap((seed) => randomStack(seed, NONE)).flat();
    expect(operations.filter((operation) => operation.do.endsWith('xattr'))).toEqual([]);
    expect(operations.filter(({ path }) => path.includes('.wh.'))).toEqual([]);
  });
});

describe('a seeded random number', () => {
  it('is spread evenly', () => {
    const random = new SeededRandom('even');
    const counts = Array.from({ length: 10 }, () => 0);
    for (let index = 0; index < 10_000; index += 1) {
      const number = random.below(10);
      counts[number] = (counts[number] ?? 0) + 1;
    }
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });
});
