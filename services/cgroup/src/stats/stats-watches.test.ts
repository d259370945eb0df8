import { setTimeout as delay } from 'node:timers/promises';
import { teuError } from '@teu/errors';
import { Stats, StatsEntry } from '@teu/proto/cgroup';
import { expect, it } from 'vitest';
import type { CgroupTree } from '../tree/cgroup-tree.js';
import type { Figures } from './figures.js';
import { Reading } from './reading.js';
import { StatsWatches } from './stats-watches.js';
import type { Watch } from './watch-request.js';

const IDS = Array.from({ length: 250 }, (_, index) => index.toString(16).padStart(64, '0'));
const ALL: Watch = {
  ids: [],
  group: '',
  withGroups: false,
  intervalMs: 100,
  sampleCount: Infinity,
};

/** Streams over a tree of 250 containers, and how often they were read. */
function watches() {
  const tree = {
    completeInhabitants: () => ({
      containers: new Map(IDS.map((id) => [id, ''])),
      groups: new Set(),
    }),
    placeOf: () => '',
    checkExists: (id: string) => {
      if (!IDS.includes(id)) throw teuError('CGROUP_NOT_FOUND', 'no such cgroup');
    },
  };
  const reads: (readonly string[])[] = [];
  const figures = {
    readAll: async (ids: readonly string[]) => {
      reads.push(ids);
      const identities = ids.map((containerId) => StatsEntry.create({ containerId }));
      return identities.map((identity) => new Reading(identity, Stats.create(), 0));
    },
  };
  const made = new StatsWatches(tree as unknown as CgroupTree, figures as unknown as Figures);
  return { made, reads };
}
const noEnd = new AbortController().signal;

it('a sample comes in pieces, of which the last one says that it is', async () => {
  const pieces = [];
  for await (const piece of watches().made.watch({ ...ALL, sampleCount: 1 }, noEnd))
    pieces.push(piece);
  expect(pieces.map(({ entries }) => entries.length)).toEqual([100, 100, 50]);
  expect(pieces.map(({ complete }) => complete)).toEqual([false, false, true]);
});

it('a sample of nothing is one as well', async () => {
  const { made } = watches();
  const stream = made.watch(
    { ...ALL, ids: IDS.slice(0, 1), group: 'other', sampleCount: 1 },
    noEnd,
  );
  expect((await stream.next()).value).toEqual({ entries: [], complete: true });
});

it('nothing is read for a reader who does not ask', async () => {
  const { made, reads } = watches();
  const stream = made.watch({ ...ALL, ids: IDS.slice(0, 1) }, noEnd);
  for (const count of [1, 2, 3]) {
    await stream.next();
    await delay(250);
    expect(reads).toHaveLength(count);
  }
  await stream.return(undefined);
});

it('a stream ends when its reader is gone, and makes room for another', async () => {
  const { made } = watches();
  const abort = new AbortController();
  const watch = { ...ALL, ids: IDS.slice(0, 1), intervalMs: 3_600_000 };
  const streams = Array.from({ length: 64 }, () => made.watch(watch, abort.signal));
  await Promise.all(streams.map((stream) => stream.next()));
  const refused = made.watch(watch, noEnd).next();
  await expect(refused).rejects.toMatchObject({ reason: 'RESOURCE_EXHAUSTED' });
  const ended = Promise.allSettled(streams.map((stream) => stream.next()));
  abort.abort();
  await ended;
  expect((await made.watch(watch, noEnd).next()).done).toBe(false);
});

it('a container that never was is told at once, and takes no room', async () => {
  const { made } = watches();
  for (let count = 0; count < 70; count += 1) {
    const stream = made.watch({ ...ALL, ids: ['f'.repeat(64)] }, noEnd);
    await expect(stream.next()).rejects.toMatchObject({ reason: 'CGROUP_NOT_FOUND' });
  }
});
