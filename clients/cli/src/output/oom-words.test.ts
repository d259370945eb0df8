import { CgroupAction, CgroupEvent, Event } from '@teu/proto/event';
import { OomKill, OomLimit, OomScope } from '@teu/proto/type';
import { expect, test } from 'vitest';
import { eventLine } from './event-line.js';
import { oomWords } from './oom-words.js';

const kill = (part: Partial<OomKill>): OomKill =>
  OomKill.create({
    scope: OomScope.OOM_SCOPE_CONTAINER,
    limit: OomLimit.OOM_LIMIT_MEMORY,
    limitBytes: 16 << 20,
    pid: 4711,
    processName: 'tail',
    anonymousBytes: 15 << 20,
    fileBytes: 1 << 19,
    ...part,
  });

test.each<[Partial<OomKill>, string]>([
  [{}, 'limit 16 MiB of the container'],
  [
    { limit: OomLimit.OOM_LIMIT_MEMORY_AND_SWAP },
    'limit 16 MiB of memory and swap of the container',
  ],
  [{ scope: OomScope.OOM_SCOPE_GROUP, group: 'team/build' }, 'limit 16 MiB of group team/build'],
  [{ scope: OomScope.OOM_SCOPE_GROUP, group: '/a' }, 'limit 16 MiB of the cgroup /a above it'],
  [
    { scope: OomScope.OOM_SCOPE_NESTED, group: 'x' },
    'limit 16 MiB of the cgroup x that the container made',
  ],
  [{ scope: OomScope.OOM_SCOPE_HOST }, 'the memory of the host was used up'],
  [{ limitBytes: 0 }, 'limit of the container'],
])('a kill in words: %o', (part, words) => {
  expect(oomWords(kill(part))).toBe(
    `killed for want of memory: tail (pid 4711) held 15.5 MiB; ${words}`,
  );
});

test('a kill of which the report was lost', () => {
  const words = oomWords(kill({ scope: OomScope.OOM_SCOPE_UNSPECIFIED }));
  expect(words).toBe('killed for want of memory; the kernel did not say why');
});

test.each<[Partial<CgroupEvent>, string]>([
  [
    { action: CgroupAction.CGROUP_ACTION_LIMIT_REACHED, limit: 'pids.max', limitValue: 5 },
    'cgroup limit reached 0123456789ab (name=web, group=team, pids.max=5, count=2)',
  ],
  [
    { action: CgroupAction.CGROUP_ACTION_LIMIT_REACHED, limit: 'memory.high', limitValue: 1 << 20 },
    'cgroup limit reached 0123456789ab (name=web, group=team, memory.high=1 MiB, count=2)',
  ],
  [
    {
      action: CgroupAction.CGROUP_ACTION_THROTTLED,
      share: 0.7512,
      waitedDuration: { seconds: 1, nanos: 5e8 },
    },
    'cgroup throttled 0123456789ab (name=web, group=team, share=75%, waited=1.500s, count=2)',
  ],
  [
    { action: CgroupAction.CGROUP_ACTION_PRESSURE, resource: 'io', containerId: '', name: '' },
    'cgroup pressure group team (resource=io, count=2)',
  ],
  [
    { action: CgroupAction.CGROUP_ACTION_OOM_KILLED, oomKill: kill({ processName: 'a\nb' }) },
    'cgroup oom killed 0123456789ab (name=web, group=team, count=2, killed for want of memory: ' +
      'a\\u000ab (pid 4711) held 15.5 MiB; limit 16 MiB of the container)',
  ],
])('an event on a line: %o', (part, words) => {
  const subject = { containerId: '0123456789abcdef', name: 'web', group: 'team', count: 2 };
  const value = CgroupEvent.create({ ...subject, ...part });
  const eventTime = new Date('2026-01-01T00:00:00.000Z');
  const event = Event.create({ eventTime, payload: { $case: 'cgroup', value } });
  expect(eventLine(7, event)).toBe(`     7  2026-01-01T00:00:00.000Z  ${words}`);
});
