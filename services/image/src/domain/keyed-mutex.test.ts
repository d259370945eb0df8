import { describe, expect, it } from 'vitest';
import { createKeyedMutex } from './keyed-mutex.js';
import { createPins } from './pins.js';

describe('the mutex', () => {
  it('runs one at a time under a key, in order, also after a failure', async () => {
    const mutex = createKeyedMutex();
    const seen: string[] = [];
    const work =
      (name: string, fail = false) =>
      async () => {
        seen.push(`${name} begins`);
        await Promise.resolve();
        seen.push(`${name} ends`);
        if (fail) throw new Error(name);
      };
    const results = await Promise.allSettled([
      mutex.run('k', work('a', true)),
      mutex.run('k', work('b')),
      mutex.run('other', work('c')),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
    expect(seen.indexOf('b begins')).toBeGreaterThan(seen.indexOf('a ends'));
    expect(seen.indexOf('c begins')).toBeLessThan(seen.indexOf('a ends'));
  });
});

describe('pins', () => {
  it('hold as long as one holder is left', () => {
    const pins = createPins();
    pins.pin('a');
    pins.pin('a');
    pins.release(['a', 'b']);
    expect(pins.has('a')).toBe(true);
    pins.release(['a']);
    expect(pins.has('a')).toBe(false);
  });
});
