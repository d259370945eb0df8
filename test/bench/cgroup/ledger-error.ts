import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import {
  CgroupServiceService,
  CreateCgroupRequest,
  Run,
  UsageFilter,
  UsageServiceService,
  type Usage,
} from '@teu/proto/cgroup';
import type { Duration } from '@teu/proto/google';
import type { TestTeu } from '@teu/testing';
import { capture } from '../harness/process.js';
import { median, table } from '../harness/statistics.js';

const MEBIBYTE = 1 << 20;

/** Work whose size is known by other means than cgroups. */
interface Work {
  readonly what: string;
  /** Runs in the cgroup: a program of Python that prints how much it really was. */
  readonly program: (place: string) => string;
  /** What the ledger says of it, in the same unit. */
  readonly measured: (usage: Usage) => number;
}

const seconds = (duration: Duration | undefined): number =>
  duration === undefined ? 0 : duration.seconds + duration.nanos / 1e9;

/** Joins its groups first, so that all that it says of itself is theirs as well. */
const JOIN = `
import mmap, os, subprocess, sys, time
for path in sys.argv[1].split():
    with open(path, "w") as file:
        file.write("0")
def tell(value):
    os.write(1, ("%.9f" % value).encode())
    os._exit(0)
`;

/** By getrusage(2) of the process, when it joined its groups and when it was gone, so that its end counts too. */
const burn = (length: number): Work => ({
  what: `${String(length)} s of processor time`,
  program: () => `
import os, resource, sys
def used():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
told, tell = os.pipe()
pid = os.fork()
if pid == 0:
    for path in sys.argv[1].split():
        with open(path, "w") as file:
            file.write("0")
    begin = used()
    os.write(tell, ("%.9f" % begin).encode())
    while used() - begin < ${String(length)}: pass
    os._exit(0)
before = float(os.read(told, 100))
usage = os.wait4(pid, 0)[2]
print("%.9f" % (usage.ru_utime + usage.ru_stime - before))
`,
  measured: (usage) => seconds(usage.cpuDuration),
});

/**
 * Byte-seconds: pages that are touched, for as long as the clock says, and what the process has beside them
 * (its page tables, what it loads), which the kernel counts too, as it was before they were touched.
 */
const hold = (mebibytes: number, length: number): Work => ({
  what: `${String(mebibytes)} MiB for ${String(length)} s`,
  program: (file) => `${JOIN}
start = time.monotonic()
size = ${String(mebibytes)} << 20
memory = mmap.mmap(-1, size)
before = int(open("${file}").read())
touched = time.monotonic()
for at in range(0, size, 4096): memory[at] = 1
begin = (touched + time.monotonic()) / 2
time.sleep(${String(length)})
end = time.monotonic()
tell(before * (end - start) + size * (end - begin))
`,
  measured: (usage) => usage.memoryByteSeconds,
});

/** By what dd(1) was told, past the page cache. */
const copy = (mebibytes: number, direction: 'write' | 'read', file: string): Work => ({
  what: `${String(mebibytes)} MiB that dd ${direction === 'write' ? 'writes' : 'reads'} directly`,
  program: () => `${JOIN}
subprocess.run(["dd", "bs=1M", "count=${String(mebibytes)}", ${
    direction === 'write'
      ? `"if=/dev/zero", "of=${file}", "oflag=direct"`
      : `"if=${file}", "of=/dev/null", "iflag=direct"`
  }], check=True, stderr=subprocess.DEVNULL)
tell(${String(mebibytes * MEBIBYTE)})
`,
  measured: (usage) => (direction === 'write' ? usage.ioWriteBytes : usage.ioReadBytes),
});

/** How far the usage ledger is from the truth, in per cent of it. */
export async function ledgerReport(
  engine: TestTeu,
  directory: string,
  rounds: number,
): Promise<string> {
  const file = join(directory, 'copied');
  const works = [
    ...[burn(0.2), burn(1), burn(4)],
    ...[hold(64, 0.5), hold(64, 4), hold(256, 2)],
    ...[copy(64, 'write', file), copy(64, 'read', file)],
  ];
  // Programs and libraries come from memory from here on, and the file has its blocks.
  capture('dd', ['bs=1M', 'count=64', 'if=/dev/zero', `of=${file}`, 'oflag=direct']);
  await runOnce(engine, burn(0.01));
  const rows: string[][] = [];
  for (const work of works) {
    const errors: number[] = [];
    for (let round = 0; round < rounds; round += 1) errors.push(await runOnce(engine, work));
    const signed = median(errors);
    const worst = Math.max(...errors.map(Math.abs));
    rows.push([work.what, signed.toFixed(3), worst.toFixed(3)]);
  }
  return table([['error of the usage ledger, %', 'median', 'worst'], ...rows]);
}

/** One run, told to the service as the engine does it. */
async function runOnce(engine: TestTeu, work: Work): Promise<number> {
  const channel = engine.channel('cgroup');
  const id = randomBytes(32).toString('hex');
  const request = CreateCgroupRequest.create({ id });
  const { cgroup } = await channel.unary(CgroupServiceService.createCgroup, request);
  const { v1TasksPaths = [], v2Directory = '' } = cgroup?.membership ?? {};
  const joins = [...v1TasksPaths, ...(v2Directory === '' ? [] : [`${v2Directory}/cgroup.procs`])];
  const memory = v1TasksPaths.find((path) => path.split('/').includes('memory'));
  const current =
    memory?.replace(/tasks$/, 'memory.usage_in_bytes') ?? `${v2Directory}/memory.current`;
  const run = Run.create({
    containerId: id,
    startTime: new Date(),
    name: `known-${id.slice(0, 8)}`,
  });
  await channel.unary(UsageServiceService.recordRun, { run });
  const child = spawn('/usr/bin/python3', ['-c', work.program(current), joins.join(' ')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [real] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  const end = { exitTime: new Date(), exitCode: 0, signal: 0, error: '' };
  await channel.unary(CgroupServiceService.deleteCgroup, { id, force: true, run: { ...run, end } });
  const { records } = await channel.unary(UsageServiceService.listUsage, {
    ...{ filter: UsageFilter.create({ container: id }), pageSize: 0, pageToken: '' },
  });
  const usage = records[0]?.usage;
  if (usage === undefined || Number(real) <= 0) throw new Error(`no record of ${work.what}`);
  return 100 * (work.measured(usage) / Number(real) - 1);
}
