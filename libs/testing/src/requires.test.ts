import { describe, expect, it } from 'vitest';
import { requires } from './index.js';

describe('requires', () => {
  it('is true for what every machine has', () => {
    expect(requires('python3')).toBe(true);
    expect(requires()).toBe(true);
  });

  it('is false for what the kernel lacks, whatever else is there', () => {
    // Gone from mainline kernels; Debian's have not had it since 2020.
    expect(requires('python3', 'aufs')).toBe(false);
  });
});
