import { tempDir, type TempDir } from '@teu/testing';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CgroupTree } from '../tree/cgroup-tree.js';
import { limitEvents } from './limit-events.js';
import { NO_COUNTS } from './told.js';

const ID = 'c'.repeat(64);

let directory: TempDir;
beforeEach(() => {
  directory = tempDir();
});
afterEach(() => directory.remove());

/** The limit that is told of a failed fork in the container. */
function told(
  tasks: Readonly<Record<string, readonly [current: number, max: number | 'max']>>,
): number {
  for (const [group, [current, max]] of Object.entries(tasks)) {
    mkdirSync(join(directory.path, group), { recursive: true });
    writeFileSync(join(directory.path, group, 'pids.current'), `${current}\n`);
    writeFileSync(join(directory.path, group, 'pids.max'), `${max}\n`);
  }
  const tree = {
    groupOf: (_controller: string, id: string) => ({ path: join(directory.path, id), version: 1 }),
    placeOf: () => 'team/build',
  } as unknown as CgroupTree;
  const change = { before: NO_COUNTS, now: { ...NO_COUNTS, pidsMax: 3 }, reached: false };
  const events = limitEvents({ tree, names: () => '' }, ID, change);
  expect(events).toMatchObject([{ limit: 'pids.max', count: 3, containerId: ID }]);
  return events[0]!.limitValue;
}

test('a fork fails at the limit that is used up', () => {
  const above = { 'g.team': [40, 40], 'g.team/g.build': [10, 'max'] } as const;
  expect(told({ ...above, [ID]: [7, 100] })).toBe(40);
  expect(told({ ...above, 'g.team': [39, 40], [ID]: [100, 100] })).toBe(100);
});

test('of several limits of which none is used up any more nobody knows which it was', () => {
  expect(told({ 'g.team': [3, 40], 'g.team/g.build': [3, 'max'], [ID]: [1, 100] })).toBe(-1);
});

test('the only limit is the one', () => {
  expect(told({ 'g.team': [3, 40], 'g.team/g.build': [3, 'max'], [ID]: [1, 'max'] })).toBe(40);
  expect(told({ 'g.team': [3, 'max'], [ID]: [1, 100] })).toBe(100);
});
