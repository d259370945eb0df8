import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from '@teu/testing';
import { expect, test } from 'vitest';
import { fakeContext } from '../testing/fake-context.js';
import { collectEnvironment, parseLabels } from './environment.js';

test('files come before options, and a name alone takes the caller’s value', async () => {
  using directory = tempDir();
  writeFileSync(join(directory.path, 'env'), '# comment\nA=1\n\n  B=with blanks \nHOME\nABSENT\n');
  const { context } = fakeContext({ cwd: directory.path, env: { HOME: '/root', C: '3' } });
  expect(await collectEnvironment(context, ['env'], ['C', 'D=x=y', 'MISSING'])).toEqual([
    'A=1',
    'B=with blanks ',
    'HOME=/root',
    'C=3',
    'D=x=y',
  ]);
});

test('a variable without a name and a file that isn’t there are refused', async () => {
  const { context } = fakeContext({});
  await expect(collectEnvironment(context, [], ['=x'])).rejects.toThrow('no name');
  await expect(collectEnvironment(context, ['/nonexistent'], [])).rejects.toThrow('/nonexistent');
});

test('labels are pairs, or names alone', () => {
  expect(parseLabels(['app=web', 'tier', 'url=a=b'])).toEqual({ app: 'web', tier: '', url: 'a=b' });
  expect(() => parseLabels(['=x'])).toThrow('no name');
});
