import { setTimeout as delay } from 'node:timers/promises';
import { CgroupServiceService as Service, WatchStatsRequest } from '@teu/proto/cgroup';
import { startService, type RunningTestService } from '@teu/testing';
import { cpuMs } from '../harness/cpu-time.js';
import { median } from '../harness/statistics.js';
import { inhabit, type Life } from './inhabitants.js';

/** What reading the figures of many containers takes. */
export interface SamplingCost {
  readonly life: Life;
  readonly count: number;
  /** Processor time of the first sample, which opens the files, in milliseconds. */
  readonly firstMs: number;
  /** Processor time of a later sample in which everything is read, median. */
  readonly sampleMs: number;
  /** Time from the request until the sample was there, median of those. */
  readonly sampleWallMs: number;
  /** Share of one processor that a stream at 1 Hz takes, in per cent. */
  readonly streamPercent: number;
  readonly streamSeconds: number;
}

const SAMPLES = 20;
/** Between two single samples: longer than figures are shared, and than a stirring process sleeps. */
const PAUSE_MS = 400;

/** Measures one service with one kind of containers. */
export async function measureSampling(
  count: number,
  life: Life,
  streamSeconds: number,
): Promise<SamplingCost> {
  const service = await startService('cgroup');
  try {
    const inhabitants = await inhabit(service.channel, count, life);
    try {
      const first = await oneSample(service, count);
      const single: { cpu: number; wall: number }[] = [];
      for (let round = 0; round < SAMPLES; round += 1) {
        await delay(PAUSE_MS);
        single.push(await oneSample(service, count));
      }
      return {
        life,
        count,
        firstMs: first.cpu,
        sampleMs: median(single.map(({ cpu }) => cpu)),
        sampleWallMs: median(single.map(({ wall }) => wall)),
        streamPercent: await streamPercent(service, count, streamSeconds),
        streamSeconds,
      };
    } finally {
      await inhabitants.close();
    }
  } finally {
    await service.stop();
  }
}

async function oneSample(
  { channel, pid }: RunningTestService,
  count: number,
): Promise<{ cpu: number; wall: number }> {
  const before = cpuMs(pid);
  const begin = performance.now();
  const request = WatchStatsRequest.create({ sampleCount: 1 });
  let entryCount = 0;
  for await (const { entries } of channel.serverStream(Service.watchStats, request)) {
    entryCount += entries.length;
  }
  if (entryCount !== count) throw new Error(`a sample of ${String(entryCount)} containers`);
  return { cpu: cpuMs(pid) - before, wall: performance.now() - begin };
}

/** From its second sample on, for as long as it is asked for. */
async function streamPercent(
  { channel, pid }: RunningTestService,
  count: number,
  seconds: number,
): Promise<number> {
  const request = WatchStatsRequest.create({ intervalDuration: { seconds: 1, nanos: 0 } });
  let begin: { cpu: number; ms: number } | undefined;
  let entryCount = 0;
  for await (const { entries, complete } of channel.serverStream(Service.watchStats, request)) {
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
