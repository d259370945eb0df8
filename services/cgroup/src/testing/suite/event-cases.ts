import { CgroupServiceService as Service, type Cgroup } from '@teu/proto/cgroup';
import { CgroupAction } from '@teu/proto/event';
import { OomLimit, OomScope } from '@teu/proto/type';
import { oomReportRoom, tempDir, waitFor } from '@teu/testing';
import { copyFileSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runInGroup } from '../run-in-group.js';
import type { EventProbe } from './event-probe.js';
import { MEBIBYTE } from './group-probe.js';

const { CGROUP_ACTION_LIMIT_REACHED, CGROUP_ACTION_THROTTLED } = CgroupAction;
const SMALL = { memory: { limit: 16 * MEBIBYTE, swap: 16 * MEBIBYTE } };
/** Asks for more memory than there is; the rest of the script goes on when it is killed. */
const eat = (program = 'dd'): string =>
  `${program} if=/dev/zero of=/dev/null bs=100M count=1; true`;

const eater =
  (probe: () => EventProbe) =>
  async (cgroup: Cgroup, program?: string): Promise<void> => {
    await oomReportRoom();
    await probe().groups.run(cgroup, eat(program)).ended;
  };

/** Writes to the kernel's log as any process may. */
function writeToKernelLog(lines: readonly string[]): void {
  for (const line of lines) writeFileSync('/dev/kmsg', `${line}\n`);
}

const sum = (counts: readonly number[]): number =>
  counts.reduce((total, count) => total + count, 0);

/**
 * What the service tells of the kernel's notifications: the same on each kind of host.
 *
 * @param probe - One that tells each time by itself.
 */
export function describeEvents(probe: () => EventProbe): void {
  const eatIn = eater(probe);

  it('says what was killed for want of memory, and why', async () => {
    const cgroup = await probe().groups.create(SMALL);
    await eatIn(cgroup);
    const cause = {
      scope: OomScope.OOM_SCOPE_CONTAINER,
      group: '',
      limit: OomLimit.OOM_LIMIT_MEMORY,
      limitBytes: 16 * MEBIBYTE,
      processName: 'dd',
      containerId: cgroup.id,
    };
    const [kill] = await probe().oomKills(cgroup.id);
    expect(kill).toMatchObject(cause);
    expect(kill!.usageBytes).toBeGreaterThan(15 * MEBIBYTE);
    expect(kill!.anonymousBytes).toBeGreaterThan(10 * MEBIBYTE);
    expect(kill!.pid).toBeGreaterThan(1);
    expect(probe().kills(cgroup.id)).toMatchObject([{ count: 1, oomKill: kill }]);
    await probe().next(cgroup.id, ({ limit }) => limit === 'memory.max');
    const { channel } = probe().groups.service;
    const request = { id: cgroup.id, force: true, run: undefined };
    expect((await channel.unary(Service.deleteCgroup, request)).oomKills).toEqual([kill]);
    // Asked again, because the first answer was lost.
    expect((await channel.unary(Service.deleteCgroup, request)).oomKills).toEqual([kill]);
  });

  it('tells forks that failed at the limit of tasks', async () => {
    const cgroup = await probe().groups.create({ pids: { limit: 4 } });
    const forks = 'for i in 1 2 3 4 5 6; do sleep 0.1 & done; wait';
    await probe().groups.run(cgroup, forks).ended;
    const event = await probe().next(cgroup.id, ({ limit }) => limit === 'pids.max');
    expect(event).toMatchObject({ action: CGROUP_ACTION_LIMIT_REACHED, limitValue: 4 });
    await probe().groups.run(cgroup, forks).ended;
    const { channel } = probe().groups.service;
    const request = { id: cgroup.id, force: true, run: undefined };
    const { finalStats } = await channel.unary(Service.deleteCgroup, request);
    const told = probe()
      .of(cgroup.id)
      .map(({ count }) => count);
    expect(told.length).toBeGreaterThan(1);
    expect(sum(told)).toBe(finalStats!.pids!.limitHitCount);
  });

  it('tells of a quota of processor time that is used up in most periods', async () => {
    const cgroup = await probe().groups.create({ cpu: { quota: 5000, period: 50_000 } });
    await probe().groups.run(cgroup, "timeout 1 sh -c 'while :; do :; done'").ended;
    const isThrottled = ({ action }: { action: CgroupAction }): boolean =>
      action === CGROUP_ACTION_THROTTLED;
    const event = await probe().next(cgroup.id, isThrottled);
    expect(event.share).toBeGreaterThanOrEqual(0.5);
    expect(event.count).toBeGreaterThan(1);
    expect(event.waitedDuration).toBeDefined();
  });

  it('tells the limit of a group from that of a container in it', async () => {
    await probe().createGroup('team', { memory: { limit: 16 * MEBIBYTE, swap: 16 * MEBIBYTE } });
    const id = 'ab'.repeat(32);
    const { channel } = probe().groups.service;
    const request = { id, resources: undefined, group: 'team' };
    const { cgroup } = await channel.unary(Service.createCgroup, request);
    await oomReportRoom();
    await runInGroup(cgroup!.membership!, eat()).ended;
    const [kill] = await probe().oomKills(id);
    expect(kill).toMatchObject({ scope: OomScope.OOM_SCOPE_GROUP, group: 'team', containerId: id });
    expect(probe().kills(id)).toMatchObject([{ group: 'team', oomKill: kill }]);
    await probe().groups.remove(id, true);
    await probe().deleteGroup('team');
  });

  it('tells the limit of a cgroup that the container made', async () => {
    const cgroup = await probe().groups.create({});
    const own = probe().groups.directory(cgroup, 'memory');
    const isV1 = probe().groups.versionOf('memory') === 1;
    const inner = join(own, 'in,ner');
    if (!isV1) writeFileSync(join(own, 'cgroup.subtree_control'), '+memory');
    mkdirSync(inner);
    writeFileSync(join(inner, isV1 ? 'memory.limit_in_bytes' : 'memory.max'), '16M');
    const join0 = { v1TasksPaths: [join(inner, 'cgroup.procs')], v2Directory: '', mounts: [] };
    await oomReportRoom();
    await runInGroup(join0, eat()).ended;
    await probe().next(cgroup.id, ({ oomKill }) => oomKill !== undefined);
    expect(await probe().oomKills(cgroup.id)).toMatchObject([
      { scope: OomScope.OOM_SCOPE_NESTED, group: 'in,ner', containerId: cgroup.id },
    ]);
    await waitFor(() => removes(inner), { timeoutMs: 5000 });
  });

  it('misses nothing and repeats nothing when the watcher dies', async () => {
    const before = await probe().groups.create(SMALL);
    await eatIn(before);
    await probe().oomKills(before.id);
    await probe().next(before.id, ({ limit }) => limit === 'memory.max');
    const meanwhile = await probe().groups.create(SMALL);
    const pid = probe().groups.service.watcherPid!;
    process.kill(pid, 'SIGKILL');
    await eatIn(meanwhile);
    await probe().next(meanwhile.id, ({ oomKill }) => oomKill?.processName === 'dd');
    expect(probe().groups.service.watcherPid).not.toBe(pid);
    // It hears again what it heard before.
    await eatIn(before);
    expect(await probe().oomKills(before.id)).toHaveLength(2);
    expect(probe().kills(before.id)).toMatchObject([{ count: 1 }, { count: 1 }]);
    expect(probe().kills(meanwhile.id)).toMatchObject([{ count: 1 }]);
    if (probe().groups.versionOf('memory') === 1) return;
    // Version 1 does not count all times, and what it does not count cannot be compared.
    const { stats } = await probe().groups.service.channel.unary(Service.getStats, before);
    const times = (): number =>
      sum(
        probe()
          .of(before.id)
          .map(({ limit, count }) => (limit === 'memory.max' ? count : 0)),
      );
    await waitFor(() => times() >= stats!.memory!.limitHitCount, { timeoutMs: 10_000 });
    expect(times()).toBe(stats!.memory!.limitHitCount);
  });
}

/**
 * Nothing is kept of groups that are gone.
 *
 * @param probe - One without groups.
 * @param many - Groups that come and go.
 */
export function describeRelease(probe: () => EventProbe, many: number): void {
  it('lets go of groups that are gone', async () => {
    const { groups } = probe();
    // One, to see that the watcher has begun.
    const first = await groups.create({ ...SMALL, pids: { limit: 9 } });
    await waitFor(() => probe().watches() > 0, { timeoutMs: 20_000 });
    await groups.remove(first.id);
    await waitFor(() => probe().watches() === 0, { timeoutMs: 20_000 });
    const atRest = probe().held();
    const ids = Array.from({ length: many }, (_, index) => index.toString(16).padStart(64, 'f'));
    for (const id of ids) await groups.createAs(id, { ...SMALL, pids: { limit: 9 } });
    await waitFor(() => probe().held() >= atRest + 2 * many, { timeoutMs: 20_000 });
    for (const id of ids) await groups.remove(id);
    await waitFor(() => probe().held() <= atRest, { timeoutMs: 20_000 });
  });
}

/**
 * What happens often is told together.
 *
 * @param probe - One with a window that does not end within the test.
 */
export function describeJoining(probe: () => EventProbe): void {
  it('tells kills that come thick at most once in a window, and all of them at the end', async () => {
    const cgroup = await probe().groups.create(SMALL);
    // One wait for room, and within one window.
    await oomReportRoom();
    await probe().groups.run(cgroup, [eat(), eat(), eat()].join('\n')).ended;
    expect(await probe().oomKills(cgroup.id)).toHaveLength(3);
    expect(probe().kills(cgroup.id)).toMatchObject([{ count: 1 }]);
    await probe().groups.remove(cgroup.id, true);
    expect(probe().kills(cgroup.id)).toMatchObject([{ count: 1 }, { count: 2 }]);
  });
}

/** What needs to be shown on one kind of host only. */
export function describeDistrust(probe: () => EventProbe): void {
  const eatIn = eater(probe);
  const pathOf = (cgroup: Cgroup): string => `/${probe().groups.service.groupPath}/${cgroup.id}`;

  it('believes neither what processes write to the kernel log nor what they call themselves', async () => {
    const victim = await probe().groups.create(SMALL);
    const liar = await probe().groups.create(SMALL);
    const path = pathOf(victim);
    const forged = [
      'memory: usage 16384kB, limit 16384kB, failcnt 0',
      `oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=${path},task_memcg=${path},task=x,pid=1,uid=0`,
      'Memory cgroup out of memory: Killed process 1 (x) total-vm:1kB, anon-rss:1kB, file-rss:1kB, shmem-rss:0kB, UID:0 pgtables:1kB oom_score_adj:0',
    ];
    writeToKernelLog([...forged, ...forged.map((line) => `<0>${line}`)]);
    const directory = tempDir();
    const name = ') a,pid=1,uid=0';
    copyFileSync('/usr/bin/dd', join(directory.path, name));
    await eatIn(liar, `'${join(directory.path, name)}'`);
    const [kill] = await probe().oomKills(liar.id);
    expect(kill).toMatchObject({ processName: name, scope: OomScope.OOM_SCOPE_CONTAINER });
    expect(kill!.pid).toBeGreaterThan(1);
    // The forged records came before that one.
    expect(probe().kills(victim.id)).toEqual([]);
    expect(await probe().oomKills(victim.id)).toEqual([]);
    directory.remove();
  });
}

/** Whether a group is removed, which one with a process that is just ending is not. */
function removes(path: string): boolean {
  try {
    rmdirSync(path);
    return true;
  } catch {
    return false;
  }
}
