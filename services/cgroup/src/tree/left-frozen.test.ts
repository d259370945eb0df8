import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from '@teu/testing';
import { expect, it } from 'vitest';
import type { CgroupTree } from './cgroup-tree.js';
import { frozenBefore, thawIfLeftFrozen } from './left-frozen.js';

const ID = 'one';

it.each(['FROZEN', 'FREEZING'])('a group that was left %s by a change goes on', (state) => {
  using directory = tempDir();
  const file = (name: string): string => join(directory.path, name);
  const hierarchy = { version: 1, controllers: ['freezer'] };
  const freezer = () => ({ path: directory.path, hierarchy });
  const tree = { exists: () => true, freezer } as unknown as CgroupTree;
  const set = (text: string, self: string): void => {
    writeFileSync(file('freezer.state'), text);
    writeFileSync(file('freezer.self_freezing'), self);
  };
  writeFileSync(file('cgroup.procs'), '');
  set('THAWED\n', '0\n');
  const payload = frozenBefore(tree, ID);
  set(`${state}\n`, '1\n');
  thawIfLeftFrozen(tree, ID, { payload });
  // A file of the kernel has only what was written last.
  expect(readFileSync(file('freezer.state'), 'utf8')).toMatch(/^THAWED/);

  const paused = frozenBefore(tree, ID);
  set(`${state}\n`, '1\n');
  thawIfLeftFrozen(tree, ID, { payload: paused });
  expect(readFileSync(file('freezer.state'), 'utf8')).toBe(`${state}\n`);
});
