import { CgroupServiceService, GroupServiceService, UsageGrouping } from '@teu/proto/cgroup';
import type { Duration } from '@teu/proto/google';
import {
  patient,
  runProgram,
  startKnownWork,
  tempDir,
  waitFor,
  type WorkFacts,
} from '@teu/testing';
import { closeSync, openSync, rmdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keyOfGroup } from '../../domain/group-path.js';
import { filesToJoin, runInGroup } from '../run-in-group.js';
import { startService, type StartedService } from '../start-service.js';
import { newRun, UsageCalls } from '../usage-calls.js';

const MEBIBYTE = 1 << 20;

/** In an emulated machine what is not measured takes longer, so what is measured has to take longer too. */
const SCALE = Math.min(patient(1), 2);
/**
 * How far off a figure may be. In an emulated machine neither the work nor who samples its memory gets its turn in time;
 * what is exact there are the sums of groups.
 */
const TOLERANCE = SCALE === 1 ? 0.01 : 0.25;

/** Uses 0.8 seconds of processor time, half of it in children that end. */
const BURN = `
ready()
for _ in range(2):
    if os.fork() == 0:
        while used(resource.RUSAGE_SELF) < ${0.2 * SCALE}: pass
        os._exit(0)
    os.wait()
while used_by_all() - begin < ${0.8 * SCALE}: pass
`;

const HELD_FIRST = 24 * MEBIBYTE;
const STEPS = 24;

/**
 * Holds 24 MiB when it is ready, and takes a MiB more in each of 24 steps, within six seconds: what grows evenly can be
 * measured whenever somebody looks. Says what it had beside that, how much it had for how long, and when it began and
 * let go, in bytes and seconds.
 */
const HOLD = `
def take(size):
    return mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE)
held, size, byte_seconds = [take(${HELD_FIRST})], ${HELD_FIRST}, 0
ready(own=memory_in_use() - size)
first = last = time.monotonic()
for _ in range(${STEPS}):
    time.sleep(${(6 * SCALE) / STEPS})
    now = time.monotonic()
    byte_seconds += (now - last) * size
    last = now
    held.append(take(${MEBIBYTE}))
    size += ${MEBIBYTE}
byte_seconds += (time.monotonic() - last) * size
say(byteSeconds=byte_seconds, first=first)
leave()
`;

const seconds = (duration: Duration | undefined): number =>
  duration === undefined ? 0 : duration.seconds + duration.nanos / 1e9;

/**
 * What the usage ledger promises on every kind of host.
 *
 * @param disk - Path of 64 MiB at least that are on a disk; a file for them may be made in the directory.
 */
export function describeUsage(disk: (directory: string) => string): void {
  describe('the usage ledger', () => {
    let service: StartedService;
    let calls: UsageCalls;
    const place = tempDir();
    beforeAll(async () => {
      service = await startService();
      calls = new UsageCalls(service.channel);
    });
    afterAll(async () => {
      await service.close();
      place.remove();
    });

    it('measures work of known size to within 1 %, and groups by the sum of it', async ({
      annotate,
    }) => {
      await service.channel.unary(GroupServiceService.createGroup, {
        ...{ name: 'team', resources: undefined, labels: {} },
      });
      const burn = await work('team', BURN);
      const hold = await work('team', HOLD);
      // Opened before, since a container may not.
      const path = disk(place.path);
      const input = openSync(path, 'r');
      // So that what it is loaded from, and where the file is on the disk, is in memory.
      const dd = ['of=/dev/null', 'bs=1M', 'count=64', 'iflag=direct', 'status=none'];
      const warm = await runProgram('dd', [`if=${path}`, ...dd]);
      expect([warm.code, warm.stderr]).toEqual([0, '']);
      const copy = `ready()\nos.execvp("dd", ${JSON.stringify(['dd', ...dd])})`;
      const read = await work('team', copy, input);
      closeSync(input);

      const cpu = seconds(burn.usage?.cpuDuration) / burn.facts.cpu;
      const memory = (hold.usage?.memoryByteSeconds ?? 0) / byteSecondsOf(hold.facts);
      const io = (read.usage?.ioReadBytes ?? 0) / (64 * MEBIBYTE);
      const { stats } = await service.channel.unary(GroupServiceService.getGroupStats, {
        name: 'team',
      });
      const [team] = await calls.sums({ group: 'team' }, UsageGrouping.USAGE_GROUPING_GROUP);
      const group = seconds(team?.usage?.cpuDuration) / seconds(stats?.cpu?.usageDuration);
      await annotate(`measured/real: cpu ${cpu}, memory ${memory}, io ${io}, group ${group}`);
      expect(group).toBeCloseTo(1, 3);
      expect(io).toBe(1);
      for (const ratio of [cpu, memory]) {
        expect(ratio).toBeGreaterThan(1 - TOLERANCE);
        expect(ratio).toBeLessThan(1 + TOLERANCE);
      }
      // On version 1 the kernel forgets what groups have read that are gone; the ledger does not.
      const readBytes = [burn, hold, read].map(({ usage }) => usage?.ioReadBytes ?? 0);
      expect(team?.usage?.ioReadBytes).toBe(readBytes.reduce((sum, bytes) => sum + bytes, 0));
      if (await isVersion2('io')) expect(stats?.io?.readBytes).toBe(team?.usage?.ioReadBytes);
      const most = HELD_FIRST + STEPS * MEBIBYTE;
      expect(hold.usage?.memoryPeakBytes).toBeGreaterThan(most);
      expect(hold.usage?.memoryPeakBytes).toBeLessThan(most + 16 * MEBIBYTE);
      expect(team?.usage?.runCount).toBe(3);
    });

    it('lists a run while it lasts only if that is asked for', async () => {
      const cgroup = await calls.createCgroup();
      const run = newRun(cgroup.id);
      const running = runInGroup(cgroup.membership!, 'exec sleep 100');
      await calls.begin(run);
      // The last hierarchy that it joins is the one in which processes are counted.
      await waitFor(async () => (await calls.getCgroup(cgroup.id)).processCount > 0);
      expect(await calls.list({ container: cgroup.id })).toEqual([]);
      const record = await calls.recordOf(cgroup.id, true);
      expect(record).toMatchObject({ sequence: 0, incomplete: false, run: { end: undefined } });
      const { finalStats } = await calls.end(run, { exitCode: 137, signal: 9 });
      await running.ended;
      const ended = await calls.recordOf(cgroup.id);
      expect(ended.sequence).toBeGreaterThan(0);
      expect(ended.run?.end).toMatchObject({ exitCode: 137, signal: 9 });
      expect(seconds(ended.usage?.cpuDuration)).toBeCloseTo(
        seconds(finalStats?.cpu?.usageDuration),
        5,
      );
    });

    it('has a record of a run that was never told of before its end, and keeps it as it is', async () => {
      const cgroup = await calls.createCgroup();
      const run = newRun(cgroup.id);
      await runInGroup(cgroup.membership!, 'exec true').ended;
      await calls.end(run);
      const record = await calls.recordOf(cgroup.id);
      expect(record.incomplete).toBe(false);
      expect(seconds(record.usage?.cpuDuration)).toBeGreaterThan(0);
      expect(record.usage?.memoryByteSeconds).toBeGreaterThan(0);
      await calls.end(run, { exitCode: 1 });
      await calls.begin(run);
      expect(await calls.list({ container: cgroup.id, withRunning: true })).toEqual([record]);
    });

    it('ends the run of a cgroup that somebody else has removed with what it knows', async () => {
      const cgroup = await calls.createCgroup();
      const run = newRun(cgroup.id);
      await runInGroup(cgroup.membership!, 'head -c 8m /dev/zero | tail > /dev/null').ended;
      await calls.begin(run);
      const before = await calls.recordOf(cgroup.id, true);
      const { v1TasksPaths, v2Directory } = cgroup.membership!;
      for (const path of v1TasksPaths) rmdirSync(path.replace(/\/tasks$/, ''));
      if (v2Directory !== '') rmdirSync(v2Directory);
      await calls.end(run, { exitCode: 255, error: 'nobody knows' });
      const record = await calls.recordOf(cgroup.id);
      expect(record.incomplete).toBe(true);
      expect(record.usage?.cpuDuration).toEqual(before.usage?.cpuDuration);
      expect(record.figuresTime).toEqual(before.figuresTime);
    });

    it('removes a cgroup that no program was run in without a record', async () => {
      const { id } = await calls.createCgroup();
      await calls.delete(id);
      expect(await calls.list({ container: id, withRunning: true })).toEqual([]);
    });

    it('ends a run of which the engine knows nothing any more', async () => {
      const { id } = await calls.createCgroup();
      await calls.begin(newRun(id));
      await calls.delete(id);
      const { run, incomplete } = await calls.recordOf(id);
      expect(run?.end).toMatchObject({ exitCode: 255, error: 'nobody has told how it ended' });
      expect(incomplete).toBe(false);
    });

    it('takes the end of a run only with its cgroup', async () => {
      const { id } = await calls.createCgroup();
      const other = newRun('f'.repeat(64));
      await expect(calls.delete(id, { ...other, end: undefined })).rejects.toMatchObject({
        reason: 'INVALID_ARGUMENT',
      });
      await calls.delete(id);
    });

    interface Work {
      readonly facts: WorkFacts;
      readonly usage: Awaited<ReturnType<UsageCalls['recordOf']>>['usage'];
    }

    /** Does some work in a cgroup of its own; the run lasts from when that is ready to its very end. */
    async function work(group: string, body: string, input?: number): Promise<Work> {
      const cgroup = await calls.createCgroup(group);
      const joins = filesToJoin(cgroup.membership!);
      const memoryFile = await memoryFileOf(group, cgroup.id);
      const doing = startKnownWork(body, { joins, memoryFile, ...(input && { input }) });
      const startTime = await doing.ready;
      const run = newRun(cgroup.id, { group, startTime });
      await calls.begin(run);
      const facts = await doing.ended;
      expect(facts.code).toBe(0);
      await calls.end(run, { exitTime: new Date(facts.end * 1000) });
      return { facts, usage: (await calls.recordOf(cgroup.id)).usage };
    }

    async function isVersion2(controller: string): Promise<boolean> {
      const { controllers } = await service.channel.unary(CgroupServiceService.getHierarchy, {});
      return controllers.some(({ name, version }) => name === controller && version === 2);
    }

    async function memoryFileOf(group: string, id: string): Promise<string> {
      const { controllers } = await service.channel.unary(CgroupServiceService.getHierarchy, {});
      const memory = controllers.find(({ name }) => name === 'memory');
      const file = memory?.version === 1 ? 'memory.usage_in_bytes' : 'memory.current';
      return `${memory?.mountPath}/${service.groupPath}/${keyOfGroup(group)}/${id}/${file}`;
    }
  });
}

/** What HOLD really had. */
function byteSecondsOf(facts: WorkFacts): number {
  const { own = 0, byteSeconds = 0, first = 0, last = 0, freeing = 0 } = facts;
  return byteSeconds + own * (last - first) + freeing;
}
