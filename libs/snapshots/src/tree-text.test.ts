import { expect, it } from 'vitest';
import { escapeField, unescapeField } from './tree-text.js';

it('brings any text through a line of printable ASCII', () => {
  for (const text of ['', 'plain/path', 'a b\n%=\t', 'sha256:ü€😀', '~!"#$&<>']) {
    const field = escapeField(text);
    expect(field).toMatch(/^[!-~]*$/);
    expect(field).not.toContain('=');
    expect(unescapeField(field)).toBe(text);
  }
  expect(escapeField('a b%=')).toBe('a%20b%25%3D');
});
