import { Run, type UsageRecord } from '@teu/proto/cgroup';
import type { Duration } from '@teu/proto/google';
import { loopFilesystem, requires, waitFor, type LoopFilesystem } from '@teu/testing';
import { DatabaseSync } from 'node:sqlite';
import { closeSync, existsSync, openSync, rmdirSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CGROUP_FAILPOINTS } from './failpoints.js';
import { UsageStand, type Running } from './testing/usage-stand.js';

const MIB = 2 ** 20;
/** Says when it has 32 MiB, and works. */
const HOLD = `exec python3 -c '
import mmap
memory = mmap.mmap(-1, 32 << 20)
for at in range(0, 32 << 20, 4096): memory[at] = 1
print("ready", flush=True)
while True: pass
'`;
const SLEEP = 'echo ready; exec sleep 100';

const seconds = (duration: Duration | undefined): number =>
  duration === undefined ? 0 : duration.seconds + duration.nanos / 1e9;

const directoriesOf = ({ cgroup }: Running): string[] => {
  const { v1TasksPaths, v2Directory } = cgroup.membership!;
  return [...v1TasksPaths.map((path) => path.replace(/\/tasks$/, '')), v2Directory].filter(Boolean);
};

/** Ends the program of a run. Gives when it was still there: what is measured later does not count. */
async function kill({ program }: Running): Promise<Date> {
  const time = new Date();
  process.kill(program.child.pid!, 'SIGKILL');
  await program.ended;
  return time;
}

let stand: UsageStand;

/** The record of a run as the checkpoints have left it, without new figures. */
async function cpuAtLeast(running: Running, least: number): Promise<UsageRecord> {
  return waitFor(async () => {
    const record = await stand.calls.recordOf(running.run.containerId, true);
    return seconds(record.usage?.cpuDuration) >= least && record;
  });
}

describe.runIf(requires('root', 'cgroup_v1'))('when the service ends', () => {
  beforeEach(() => {
    stand = new UsageStand();
  });
  afterEach(() => stand.close());

  it.each(CGROUP_FAILPOINTS.filter((name) => name.startsWith('cgroup.usage.')))(
    'at %s there is one record, with all that was used',
    async (point) => {
      await stand.start(`${point}=kill`);
      const running = await stand.begin(HOLD);
      await cpuAtLeast(running, 0.05);
      await stand.calls.getCgroup(running.cgroup.id);
      const exitTime = await kill(running);
      const ended = Run.create({ ...running.run, end: { exitTime, exitCode: 137 } });
      await expect(stand.calls.delete(running.cgroup.id, ended)).rejects.toThrow();
      await stand.stop();
      await stand.start();
      const isRecorded = point !== 'cgroup.usage.after-figures';
      const before = await stand.calls.list();
      expect(before).toHaveLength(isRecorded ? 1 : 0);
      expect(directoriesOf(running).every((path) => existsSync(path))).toBe(
        point !== 'cgroup.usage.after-rmdir',
      );
      // Its engine calls again, as long as it gets no answer.
      await stand.calls.delete(running.cgroup.id, ended);
      const records = await stand.calls.list({ withRunning: true });
      expect(records).toHaveLength(1);
      if (isRecorded) expect(records).toEqual(before);
      expect(records[0]).toMatchObject({ sequence: 1, incomplete: false });
      expect(seconds(records[0]?.usage?.cpuDuration)).toBeGreaterThanOrEqual(0.05);
      expect(directoriesOf(running).some((path) => existsSync(path))).toBe(false);
    },
  );

  it('in the middle of a run, the figures go on where they were', async () => {
    await stand.start();
    const running = await stand.begin(HOLD);
    const before = await cpuAtLeast(running, 0.5);
    await stand.crash();
    await stand.start();
    const again = await stand.calls.recordOf(running.run.containerId, true);
    expect(again.run).toEqual(running.run);
    const exitTime = await kill(running);
    const { finalStats } = await stand.calls.end(running.run, { exitTime });
    const { usage, run } = await stand.calls.recordOf(running.run.containerId);
    const kernel = seconds(finalStats?.cpu?.usageDuration);
    expect(seconds(usage?.cpuDuration)).toBeCloseTo(kernel, 5);
    const sinceMs = run!.end!.exitTime!.getTime() - before.figuresTime!.getTime();
    const byteSeconds = usage!.memoryByteSeconds - before.usage!.memoryByteSeconds;
    // Python has some memory of its own.
    const held = byteSeconds / (sinceMs / 1000) / MIB;
    expect(held).toBeGreaterThan(32);
    expect(held).toBeLessThan(44);
  });
});

describe.runIf(requires('root', 'cgroup_v1', 'loop', 'mkfs.ext4'))('with a disk of its own', () => {
  let disk: LoopFilesystem;
  beforeEach(async () => {
    disk = await loopFilesystem(24 * MIB);
    stand = new UsageStand(join(disk.path, 'd'));
    await stand.start();
  });
  afterEach(async () => {
    await stand.close();
    disk.remove();
  });

  it('a power cut loses at most one interval between checkpoints', async () => {
    const lasting = await stand.begin(HOLD);
    const ended = await stand.begin(SLEEP);
    await stand.calls.end(ended.run, { exitCode: 3 });
    const final = await stand.calls.recordOf(ended.run.containerId);
    const database = join(stand.dataDir, 'cgroup/state.db');
    const known = await cpuAtLeast(lasting, 0.5);
    await checkpointOnDisk(`${database}-wal`);
    await disk.cutPower();
    const before = await stand.calls.getCgroup(lasting.cgroup.id);
    expect(before.processCount).toBe(1);
    stand.service.kill('SIGKILL');
    await stand.stop();
    await kill(lasting);
    await waitFor(() => directoriesOf(lasting).every(removed));
    await disk.restart();
    inAnotherBoot(database);

    await stand.start();
    expect(await stand.calls.recordOf(ended.run.containerId)).toEqual(final);
    await stand.calls.end(lasting.run, { exitCode: 255, error: 'the host restarted' });
    const record = await stand.calls.recordOf(lasting.run.containerId);
    expect(record.incomplete).toBe(true);
    expect(record.figuresTime!.getTime()).toBeGreaterThan(known.figuresTime!.getTime());
    const cpu = seconds(record.usage?.cpuDuration);
    expect(cpu).toBeGreaterThan(seconds(known.usage?.cpuDuration));
    const untilThen = record.figuresTime!.getTime() - lasting.run.startTime!.getTime();
    expect(seconds(record.usage?.wallDuration)).toBeCloseTo(untilThen / 1000, 2);
    const held = record.usage!.memoryByteSeconds / (untilThen / 1000) / MIB;
    expect(held).toBeGreaterThan(31);
    expect(held).toBeLessThan(44);
  });

  it('a full disk keeps the cgroup and its figures until there is room', async () => {
    // As large as a run may be, so that it does not fit into what is left.
    const labels = Object.fromEntries(
      Array.from({ length: 200 }, (_, n) => [`l${n}`, 'x'.repeat(4000)]),
    );
    const running = await stand.begin(SLEEP);
    const run = { ...running.run, labels };
    const filler = join(disk.path, 'filler');
    fill(filler);
    await expect(stand.calls.end(run)).rejects.toMatchObject({ reason: 'STORAGE_FULL' });
    expect(directoriesOf(running).every((path) => existsSync(path))).toBe(true);
    expect((await stand.calls.recordOf(run.containerId, true)).sequence).toBe(0);
    rmSync(filler);
    await stand.calls.end(run);
    const record = await stand.calls.recordOf(run.containerId);
    expect(record.run?.labels).toEqual(labels);
    expect(record.incomplete).toBe(false);
  });
});

/** Writes until nothing more goes in. */
function fill(path: string): void {
  const fd = openSync(path, 'w');
  try {
    for (;;) writeSync(fd, Buffer.alloc(4096));
  } catch (error) {
    expect(error).toMatchObject({ code: 'ENOSPC' });
  } finally {
    closeSync(fd);
  }
}

function removed(path: string): boolean {
  rmdirSync(path);
  return true;
}

/**
 * Waits until a checkpoint that begins from now on is on disk: until the next one has written something. Nobody may call
 * the service meanwhile.
 */
async function checkpointOnDisk(path: string): Promise<void> {
  for (const which of ['the first', 'the second']) {
    const { mtimeNs } = statSync(path, { bigint: true });
    await waitFor(() => statSync(path, { bigint: true }).mtimeNs !== mtimeNs, { what: which });
  }
}

/** What is on disk is of an earlier boot of the machine. */
function inAnotherBoot(path: string): void {
  const database = new DatabaseSync(path);
  database.exec(`UPDATE usage_runs SET boot_id = 'earlier';
    UPDATE usage_state SET beat_boot_id = 'earlier' WHERE beat_boot_id <> ''`);
  database.close();
}
