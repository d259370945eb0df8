import { setTimeout as delay } from 'node:timers/promises';
import { Run, UsageServiceService } from '@teu/proto/cgroup';
import type { TestTeu } from '@teu/testing';
import { cpuMs } from '../harness/cpu-time.js';
import { table } from '../harness/statistics.js';
import { inhabit } from './inhabitants.js';

const HOUR_MS = 3_600_000;
/** Until a service that was told of many runs is done with the telling. */
const SETTLE_MS = 1_000;

/**
 * What the usage ledger takes for runs that go on, in which memory changes all the time: its looks at the memory in use, more of
 * them in the first minutes of a run, and a checkpoint of each every ten seconds.
 */
export async function looksReport(
  engine: TestTeu,
  count: number,
  seconds: number,
): Promise<string> {
  const channel = engine.channel('cgroup');
  const inhabitants = await inhabit(channel, count, 'breathing');
  const tell = async (startTime: Date): Promise<void> => {
    for (const containerId of inhabitants.ids) {
      await channel.unary(UsageServiceService.recordRun, {
        run: Run.create({ containerId, startTime, name: `looks-${containerId.slice(0, 12)}` }),
      });
    }
  };
  try {
    const untold = await percentOf(engine, seconds);
    await tell(new Date(Date.now() - HOUR_MS));
    const lasting = await percentOf(engine, seconds);
    // Another start is another run.
    await tell(new Date());
    const young = await percentOf(engine, seconds);
    return table([
      [`the ledger over ${String(count)} runs, ${String(seconds)} s: % of a core`, ''],
      ['it is told of none', untold.toFixed(2)],
      ['they have lasted an hour', lasting.toFixed(2)],
      ['they have just begun', young.toFixed(2)],
    ]);
  } finally {
    await inhabitants.close();
  }
}

/** Processor time of the service over some seconds. */
async function percentOf(engine: TestTeu, seconds: number): Promise<number> {
  const { cgroup: pid = 0 } = await engine.pids();
  await delay(SETTLE_MS);
  const [before, begin] = [cpuMs(pid), performance.now()];
  await delay(seconds * 1000);
  return (100 * (cpuMs(pid) - before)) / (performance.now() - begin);
}
