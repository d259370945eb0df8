import { setTimeout as delay } from 'node:timers/promises';
import { CgroupServiceService as Service, WatchStatsRequest } from '@teu/proto/cgroup';
import type { TestTeu } from '@teu/testing';
import { cpuMs } from '../harness/cpu-time.js';
import { quantile, table } from '../harness/statistics.js';
import { inhabit, type Life } from './inhabitants.js';

const SAMPLES = 20;
/** Between two single samples: longer than figures are shared, and than a stirring process sleeps. */
const PAUSE_MS = 400;

/** What reading the figures of many containers takes, in one service. */
export async function samplingReport(
  engine: TestTeu,
  count: number,
  streamSeconds: number,
): Promise<string> {
  const rows: string[][] = [];
  for (const life of ['sleeping', 'stirring'] as const) {
    rows.push(await measure(engine, count, life, streamSeconds));
  }
  const stream = `stream at 1 Hz, ${String(streamSeconds)} s: % of a core`;
  return table([
    [
      `figures of ${String(count)} containers`,
      ...['first sample, CPU ms', 'one sample, CPU ms: p50', 'p90', 'until it is there, ms: p50'],
      stream,
    ],
    ...rows,
  ]);
}

async function measure(
  engine: TestTeu,
  count: number,
  life: Life,
  streamSeconds: number,
): Promise<string[]> {
  const inhabitants = await inhabit(engine.channel('cgroup'), count, life);
  try {
    const first = await oneSample(engine, count);
    const single: { cpu: number; wall: number }[] = [];
    for (let round = 0; round < SAMPLES; round += 1) {
      await delay(PAUSE_MS);
      single.push(await oneSample(engine, count));
    }
    const cpu = single.map((sample) => sample.cpu);
    const wall = single.map((sample) => sample.wall);
    const percent = await streamPercent(engine, count, streamSeconds);
    return [
      life === 'sleeping' ? 'that sleep' : 'that do a little, 4 times a second',
      ...[first.cpu, quantile(cpu, 0.5), quantile(cpu, 0.9), quantile(wall, 0.5)].map((ms) =>
        ms.toFixed(0),
      ),
      percent.toFixed(1),
    ];
  } finally {
    await inhabitants.close();
  }
}

async function oneSample(engine: TestTeu, count: number): Promise<{ cpu: number; wall: number }> {
  const { cgroup: pid = 0 } = await engine.pids();
  const before = cpuMs(pid);
  const begin = performance.now();
  const request = WatchStatsRequest.create({ sampleCount: 1 });
  let entryCount = 0;
  const stream = engine.channel('cgroup').serverStream(Service.watchStats, request);
  for await (const { entries } of stream) entryCount += entries.length;
  if (entryCount !== count) throw new Error(`a sample of ${String(entryCount)} containers`);
  return { cpu: cpuMs(pid) - before, wall: performance.now() - begin };
}

/** From its second sample on, for as long as it is asked for. */
async function streamPercent(engine: TestTeu, count: number, seconds: number): Promise<number> {
  const { cgroup: pid = 0 } = await engine.pids();
  const request = WatchStatsRequest.create({ intervalDuration: { seconds: 1, nanos: 0 } });
  let begin: { cpu: number; ms: number } | undefined;
  let entryCount = 0;
  const stream = engine.channel('cgroup').serverStream(Service.watchStats, request);
  for await (const { entries, complete } of stream) {
    entryCount += entries.length;
    if (!complete) continue;
    if (entryCount !== count) throw new Error(`a sample of ${String(entryCount)} containers`);
    entryCount = 0;
    const now = { cpu: cpuMs(pid), ms: performance.now() };
    begin ??= now;
    if (now.ms - begin.ms >= seconds * 1000) {
      return (100 * (now.cpu - begin.cpu)) / (now.ms - begin.ms);
    }
  }
  throw new Error('the stream has ended');
}
