import { describe, expect, test } from 'vitest';
import { hasControlCharacters } from './control-characters.js';

describe('control characters', () => {
  test.each(['\u0000', 'a\nb', 'a\tb', '\u001b[31m', '\u007f', '\u009b'])('are in %j', (text) => {
    expect(hasControlCharacters(text)).toBe(true);
  });

  test.each(['', 'a b', 'é', '漢', '\u00a0'])('are not in %j', (text) => {
    expect(hasControlCharacters(text)).toBe(false);
  });
});
