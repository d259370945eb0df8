import { CgroupServiceService, GroupServiceService, UsageGrouping } from '@teu/proto/cgroup';
import type { Duration } from '@teu/proto/google';
import { patient, runProgram, tempDir, waitFor } from '@teu/testing';
import { closeSync, openSync, rmdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keyOfGroup } from '../../domain/group-path.js';
import { runInGroup } from '../run-in-group.js';
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

/**
 * Uses 0.8 seconds of processor time, half of it in children that end. Tells how much it was, and what its cgroup
 * had used when it began to count, in seconds: it was started outside.
 */
const BURN = ({ cpu }: Files): string => `exec python3 -c '
import os, re, resource as r
def used(who):
    usage = r.getrusage(who)
    return usage.ru_utime + usage.ru_stime
def total(): return used(r.RUSAGE_SELF) + used(r.RUSAGE_CHILDREN)
start = total()
text = open("${cpu}").read()
usec = re.match("usage_usec ([0-9]+)", text)
before = int(usec.group(1)) / 1e6 if usec else int(text) / 1e9
for _ in range(2):
    pid = os.fork()
    if pid == 0:
        while used(r.RUSAGE_SELF) < ${0.2 * SCALE}: pass
        os._exit(0)
    os.waitpid(pid, 0)
while total() - start < ${0.8 * SCALE}: pass
os.write(1, ("%f %f" % (total() - start, before)).encode())
os._exit(0)
'`;

/**
 * Holds 64 MiB for three seconds; tells what it had before, how long the taking took and the holding, and when it ended, in
 * bytes and seconds.
 */
const HOLD = ({ memory }: Files): string => `exec python3 -c '
import mmap, os, time
before = int(open("${memory}").read())
begin = time.monotonic()
memory = mmap.mmap(-1, 64 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE)
taken = time.monotonic()
time.sleep(${3 * SCALE})
os.write(1, ("%d %f %f %f" % (before, taken - begin, time.monotonic() - taken, time.time())).encode())
os._exit(0)
'`;

/** Files of a cgroup that tell what it uses. */
interface Files {
  readonly cpu: string;
  readonly memory: string;
}

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
      const input = openSync(disk(place.path), 'r');
      const dd = 'of=/dev/null bs=1M count=64 iflag=direct';
      // So that what it is loaded from is in memory.
      await runProgram('dd', ['if=/dev/null', ...dd.split(' ')]);
      const read = await work('team', () => `exec dd ${dd}`, input);
      closeSync(input);

      const [used = 0, earlier = 0] = burn.output.split(' ').map(Number);
      const cpu = (seconds(burn.usage?.cpuDuration) - earlier) / used;
      const [before = 0, taking = 0, holding = 0] = hold.output.split(' ').map(Number);
      const wall = seconds(hold.usage?.wallDuration);
      // What it takes first grows evenly, as far as anybody can tell.
      const own = before * (wall - (wall - taking - holding) / 2);
      const byteSeconds = own + 64 * MEBIBYTE * (holding + taking / 2);
      const memory = (hold.usage?.memoryByteSeconds ?? 0) / byteSeconds;
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
      expect(hold.usage?.memoryPeakBytes).toBeGreaterThan(64 * MEBIBYTE);
      expect(hold.usage?.memoryPeakBytes).toBeLessThan(80 * MEBIBYTE);
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
      readonly output: string;
      readonly usage: Awaited<ReturnType<UsageCalls['recordOf']>>['usage'];
    }

    /** Does some work in a cgroup of its own. @param script may end with when it did */
    async function work(
      group: string,
      script: (files: Files) => string,
      input?: number,
    ): Promise<Work> {
      const cgroup = await calls.createCgroup(group);
      const run = newRun(cgroup.id, { group });
      const files = await filesOf(group, cgroup.id);
      const program = runInGroup(cgroup.membership!, script(files), input);
      await calls.begin(run);
      const { code, output } = await program.ended;
      expect(code).toBe(0);
      // A supervisor sees the end at once; this process only when it gets its turn.
      const ended = Number(output.split(' ')[3] ?? Date.now() / 1000) * 1000;
      await calls.end(run, { exitTime: new Date(ended) });
      return { output, usage: (await calls.recordOf(cgroup.id)).usage };
    }

    async function isVersion2(controller: string): Promise<boolean> {
      const { controllers } = await service.channel.unary(CgroupServiceService.getHierarchy, {});
      return controllers.some(({ name, version }) => name === controller && version === 2);
    }

    async function filesOf(group: string, id: string): Promise<Files> {
      const { controllers } = await service.channel.unary(CgroupServiceService.getHierarchy, {});
      const file = (controller: string, v1: string, v2: string): string => {
        const found = controllers.find(({ name }) => name === controller);
        const place = `${service.groupPath}/${keyOfGroup(group)}/${id}`;
        return found === undefined
          ? ''
          : `${found.mountPath}/${place}/${found.version === 1 ? v1 : v2}`;
      };
      return {
        cpu: file('cpuacct', 'cpuacct.usage', '') || file('cpu', '', 'cpu.stat'),
        memory: file('memory', 'memory.usage_in_bytes', 'memory.current'),
      };
    }
  });
}
