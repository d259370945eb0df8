import { OomLimit, OomScope } from '@teu/proto/type';
import { describe, expect, test } from 'vitest';
import { locate } from './locate.js';
import { locateKill } from './oom-kill.js';
import { parseTold, type OomReport } from './told.js';

const ENGINE = 'teu/0123456789ab';
const ID = 'c'.repeat(64);
const OWN = `/${ENGINE}/${ID}`;

const report = (part: Partial<OomReport>): OomReport => ({
  ...{ sequence: 1, time: new Date(0), constraint: 'MEMCG', limitGroup: OWN, taskGroup: OWN },
  ...{ memory: { usage: 16384, limit: 16384 }, memoryAndSwap: { usage: 0, limit: 0 } },
  ...{ pid: 7, comm: 'tail', uid: 0, anonymous: 1, file: 2, shared: 3, score: -5 },
  ...part,
});

describe('whose limit it was', () => {
  test.each<[string, Partial<OomReport>, OomScope, string]>([
    ['its own', {}, OomScope.OOM_SCOPE_CONTAINER, ''],
    ['its own, in a group', inGroup(''), OomScope.OOM_SCOPE_CONTAINER, ''],
    [
      'that of its group',
      { ...inGroup(''), limitGroup: `/${ENGINE}/g.team` },
      OomScope.OOM_SCOPE_GROUP,
      'team',
    ],
    [
      'that of one that it made',
      { limitGroup: `${OWN}/a/b`, taskGroup: `${OWN}/a/b/c` },
      OomScope.OOM_SCOPE_NESTED,
      'a/b',
    ],
    ['one above the engine', { limitGroup: '/teu' }, OomScope.OOM_SCOPE_GROUP, '/teu'],
    ['none', { constraint: 'NONE', limitGroup: '' }, OomScope.OOM_SCOPE_HOST, ''],
    ['none of a node', { constraint: 'CPUSET', limitGroup: '' }, OomScope.OOM_SCOPE_HOST, ''],
  ])('%s', (_name, part, scope, group) => {
    const located = locateKill(report(part), ENGINE);
    expect(located?.kill).toMatchObject({ scope, group, containerId: ID });
  });

  function inGroup(nested: string): Partial<OomReport> {
    const path = `/${ENGINE}/g.team/g.build/${ID}${nested}`;
    return { limitGroup: path, taskGroup: path };
  }

  test('a process of nobody here is not told', () => {
    for (const taskGroup of [
      '/',
      '/teu',
      `/${ENGINE}`,
      `/${ENGINE}x/${ID}`,
      `/x${OWN}`,
      `/${ENGINE}/short`,
    ]) {
      expect(locateKill(report({ taskGroup, limitGroup: '/' }), ENGINE), taskGroup).toBeUndefined();
    }
  });

  test('names of groups and of cgroups in containers are taken apart', () => {
    expect(locate(`/${ENGINE}/g.a/g.b`, ENGINE)).toEqual({
      containerId: '',
      group: 'a/b',
      nested: '',
    });
    expect(locate(`/${ENGINE}/g.a/${ID}/g.b/x`, ENGINE)).toEqual({
      ...{ containerId: ID, group: 'a', nested: 'g.b/x' },
    });
  });
});

describe('which limit it was', () => {
  const { OOM_LIMIT_MEMORY, OOM_LIMIT_MEMORY_AND_SWAP, OOM_LIMIT_UNSPECIFIED } = OomLimit;
  const none = { usage: 5, limit: 9_007_199_254_740_988 };
  test.each<[string, Partial<OomReport>, OomLimit, number]>([
    ['memory', {}, OOM_LIMIT_MEMORY, 16384],
    ['both are alike', { memoryAndSwap: { usage: 16384, limit: 16384 } }, OOM_LIMIT_MEMORY, 16384],
    [
      'memory and swap',
      { memory: { usage: 9000, limit: 16384 }, memoryAndSwap: { usage: 20000, limit: 20000 } },
      OOM_LIMIT_MEMORY_AND_SWAP,
      20000,
    ],
    ['swap is not limited', { memoryAndSwap: none }, OOM_LIMIT_MEMORY, 16384],
    ['not known', { memory: none, memoryAndSwap: none }, OOM_LIMIT_UNSPECIFIED, 0],
    ['none, on the host', { constraint: 'NONE' }, OOM_LIMIT_UNSPECIFIED, 0],
  ])('%s', (_name, part, limit, kib) => {
    const located = locateKill(report(part), ENGINE);
    expect(located?.kill).toMatchObject({ limit, limitBytes: kib * 1024 });
  });
});

describe('lines of the watcher', () => {
  const line =
    'oom sequence=9 time=1500 constraint=MEMCG limit_group=/a%20b task_group=/a%20b/c%25 memory_usage=1 memory_limit=2 ' +
    'memsw_usage=3 memsw_limit=4 pid=5 comm=a%3D%C3%A9%FF uid=6 anonymous=7 file=8 shared=9 score=-10';

  test('are read', () => {
    const told = parseTold(line.split(' '));
    expect(told).toMatchObject({
      kind: 'oom',
      report: {
        sequence: 9,
        time: new Date(1.5),
        limitGroup: '/a b',
        taskGroup: '/a b/c%',
        score: -10,
      },
    });
    expect(told?.kind === 'oom' && told.report.comm).toBe('a=é\ufffd');
    expect(parseTold(['kmsg', 'closed'])).toEqual({ kind: 'kmsg', newest: undefined });
    expect(parseTold(['kmsg', '12'])).toEqual({ kind: 'kmsg', newest: 12 });
    expect(
      parseTold('counts 3 pids.max=1 memory.max=2 memory.high=3 oom_kill=4 reached=1'.split(' ')),
    ).toEqual({
      ...{ kind: 'counts', key: 3, reached: true },
      counts: { pidsMax: 1, memoryMax: 2, memoryHigh: 3, oomKill: 4 },
    });
    expect(parseTold(['what', 'is', 'this'])).toBeUndefined();
  });
});
