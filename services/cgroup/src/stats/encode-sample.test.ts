import { Stats, StatsEntry, WatchStatsResponse, type Pressure } from '@teu/proto/cgroup';
import { expect, it } from 'vitest';
import { encodeSample } from './encode-sample.js';
import { lengthHead, Reading } from './reading.js';

const waited = { avg10: 1.25, avg60: 0, avg300: 0.5, totalDuration: { seconds: 3, nanos: 7 } };
const pressure: Pressure = { some: waited, full: undefined };
const identity = { containerId: 'ab'.repeat(32), name: 'web', group: 'team/build' };
const stats = Stats.fromPartial({
  readTime: new Date('2026-01-02T03:04:05.678Z'),
  cpu: { usageDuration: { seconds: 123_456, nanos: 999_999_999 }, periodCount: 2 ** 40 },
  memory: { usageBytes: 2 ** 52, limitBytes: -1 },
  pids: { currentCount: 3 },
  io: { devices: [{ major: 254, minor: 16, readBytes: 1 }] },
  pressure: { cpu: pressure },
});

const decoded = (entries: StatsEntry[], complete: boolean) =>
  WatchStatsResponse.decode(encodeSample({ entries, complete }));

it('says the same as the generated code, entry by entry', () => {
  const reading = new Reading(identity, stats, 0);
  const empty = new Reading({ containerId: '', name: '', group: 'g' }, Stats.create(), 0);
  const plain = StatsEntry.create({ containerId: 'x'.repeat(300), stats });
  for (const complete of [true, false]) {
    const entries = [reading, empty, plain];
    const expected = WatchStatsResponse.encode({
      entries: entries.map(({ containerId, name, group, stats: figures }) =>
        StatsEntry.create({ containerId, name, group, stats: figures }),
      ),
      complete,
    }).finish();
    expect(decoded(entries, complete)).toEqual(WatchStatsResponse.decode(expected));
  }
  expect(decoded([], true)).toEqual({ entries: [], complete: true });
});

it('has the new time, name and figures of a reading that follows another', () => {
  const first = new Reading(identity, stats, 0);
  encodeSample({ entries: [first], complete: true });
  const later = { ...stats, readTime: new Date('2026-01-02T03:04:06.001Z') };
  const quiet = new Reading(identity, later, 1000, first);
  expect(decoded([quiet], true).entries).toEqual([{ ...identity, stats: later }]);
  const changed = { ...later, pids: { ...stats.pids!, currentCount: 9 } };
  const renamed = new Reading({ ...identity, name: 'web2' }, changed, 2000, quiet);
  expect(decoded([renamed], true).entries).toEqual([{ ...identity, name: 'web2', stats: changed }]);
});

it.each([
  [0, [10, 0]],
  [127, [10, 127]],
  [128, [10, 0x80, 1]],
  [300, [10, 0xac, 2]],
  [2 ** 21, [10, 0x80, 0x80, 0x80, 1]],
])('a length of %d is a varint', (length, bytes) => {
  expect([...lengthHead(10, length)]).toEqual(bytes);
});
