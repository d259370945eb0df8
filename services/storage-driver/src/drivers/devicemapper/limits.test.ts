import { tempDir } from '@teu/testing';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Limits } from './limits.js';

it('limits outlive the process, and what is none goes', () => {
  using directory = tempDir();
  const limits = new Limits(directory.path);
  limits.set(71, 8_388_608);
  limits.set(72, 1);
  limits.delete(72);
  limits.delete(73);
  const folder = join(directory.path, 'limits');
  for (const [name, text] of [
    ['5', ''],
    ['6', 'much'],
    ['7.tmp', '12'],
    ['A', '12'],
    ['8', '-1'],
  ] as const) {
    writeFileSync(join(folder, name), text);
  }
  const again = new Limits(directory.path);
  expect(again.ids()).toEqual([71]);
  expect(again.get(71)).toBe(8_388_608);
  expect(again.get(72)).toBeUndefined();
  expect(readdirSync(folder)).toEqual(['1z']);
});
