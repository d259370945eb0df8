import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import {
  CgroupServiceService,
  CreateCgroupRequest,
  Run,
  UsageFilter,
  UsageServiceService,
  type Usage,
} from '@teu/proto/cgroup';
import type { Duration } from '@teu/proto/google';
import { startKnownWork, type TestTeu, type WorkFacts } from '@teu/testing';
import { capture } from '../harness/process.js';
import { median, table } from '../harness/statistics.js';

const MEBIBYTE = 1 << 20;
/** An entry of 8 bytes for each page of 4,096. */
const PAGE_TABLES = 1 / 512;

/** Work whose size is known by other means than cgroups. */
interface Work {
  readonly what: string;
  /** Lines of Python that are run in the cgroup. */
  readonly body: string;
  /** How much it really was. */
  readonly real: (facts: WorkFacts) => number;
  /** What the ledger says of it, in the same unit. */
  readonly measured: (usage: Usage) => number;
}

const seconds = (duration: Duration | undefined): number =>
  duration === undefined ? 0 : duration.seconds + duration.nanos / 1e9;

const burn = (length: number): Work => ({
  what: `${String(length)} s of processor time`,
  body: `
ready()
while used_by_all() - begin < ${String(length)}: pass
`,
  real: ({ cpu }) => cpu,
  measured: (usage) => seconds(usage.cpuDuration),
});

/**
 * Byte-seconds: pages that are touched, for as long as the clock says, and what the process has beside them
 * (what it loads, and their page tables), which the kernel counts too, as it was before they were touched. While the kernel frees
 * them at the end, somebody outside looks every millisecond how much is left.
 */
const hold = (mebibytes: number, length: number): Work => ({
  what: `${String(mebibytes)} MiB for ${String(length)} s`,
  body: `
start = time.monotonic()
ready()
size = ${String(mebibytes)} << 20
memory = mmap.mmap(-1, size)
before = memory_in_use()
touching, since = 0, time.monotonic()
for begin in range(0, size, 1 << 20):
    for at in range(begin, begin + (1 << 20), 4096): memory[at] = 1
    now = time.monotonic()
    touching += (now - since) * (begin + (1 << 19))
    since = now
time.sleep(${String(length)})
say(before=before, size=size, start=start, touching=touching, held=since)
leave()
`,
  real: ({ before = 0, size = 0, start = 0, touching = 0, held = 0, last = 0, freeing = 0 }) =>
    before * (last - start) + (touching + size * (last - held)) * (1 + PAGE_TABLES) + freeing,
  measured: (usage) => usage.memoryByteSeconds,
});

/** By what dd(1) was told, past the page cache. */
const copy = (mebibytes: number, direction: 'write' | 'read', file: string): Work => ({
  what: `${String(mebibytes)} MiB that dd ${direction === 'write' ? 'writes' : 'reads'} directly`,
  body: `
ready()
os.execvp("dd", ["dd", "bs=1M", "count=${String(mebibytes)}", "status=none", ${
    direction === 'write'
      ? `"if=/dev/zero", "of=${file}", "oflag=direct"`
      : `"if=${file}", "of=/dev/null", "iflag=direct"`
  }])
`,
  real: () => mebibytes * MEBIBYTE,
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
  const doing = startKnownWork(work.body, { joins, memoryFile: current });
  const run = Run.create({
    containerId: id,
    startTime: await doing.ready,
    name: `known-${id.slice(0, 8)}`,
  });
  await channel.unary(UsageServiceService.recordRun, { run });
  const facts = await doing.ended;
  if (facts.code !== 0) throw new Error(`${work.what}: exit ${String(facts.code)}`);
  const exitTime = new Date(facts.end * 1000);
  const end = { exitTime, exitCode: 0, signal: 0, error: '' };
  await channel.unary(CgroupServiceService.deleteCgroup, { id, force: true, run: { ...run, end } });
  const { records } = await channel.unary(UsageServiceService.listUsage, {
    ...{ filter: UsageFilter.create({ container: id }), pageSize: 0, pageToken: '' },
  });
  const usage = records[0]?.usage;
  if (usage === undefined) throw new Error(`no record of ${work.what}`);
  return 100 * (work.measured(usage) / work.real(facts) - 1);
}
