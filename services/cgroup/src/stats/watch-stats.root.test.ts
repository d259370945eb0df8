import { newContainerId } from '@teu/ids';
import {
  CgroupServiceService as Service,
  WatchStatsRequest,
  type StatsEntry,
  type WatchStatsResponse,
} from '@teu/proto/cgroup';
import { requires } from '@teu/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startService, type StartedService } from '../testing/start-service.js';

describe.runIf(requires('root'))('streams of figures', () => {
  let service: StartedService;
  const ids: string[] = [];
  beforeAll(async () => {
    service = await startService();
    for (let count = 0; count < 120; count += 1) ids.push((await service.create()).id);
    ids.sort();
  });
  afterAll(async () => {
    await service.close();
  });

  const watch = (request: Partial<WatchStatsRequest>) =>
    service.channel.serverStream(Service.watchStats, WatchStatsRequest.fromPartial(request));

  async function collect(stream: AsyncIterable<WatchStatsResponse>): Promise<StatsEntry[][]> {
    const samples: StatsEntry[][] = [];
    let sample: StatsEntry[] = [];
    for await (const { entries, complete } of stream) {
      sample.push(...entries);
      if (!complete) continue;
      samples.push(sample);
      sample = [];
    }
    expect(sample).toEqual([]);
    return samples;
  }

  const every = (ms: number) => ({ seconds: 0, nanos: ms * 1e6 });

  it('tell of all containers, again and again, in order', async () => {
    const samples = await collect(watch({ sampleCount: 3, intervalDuration: every(100) }));
    expect(samples).toHaveLength(3);
    for (const sample of samples) {
      expect(sample.map(({ containerId }) => containerId)).toEqual(ids);
      for (const { stats } of sample) expect(stats?.memory?.limitBytes).toBe(-1);
    }
  });

  it('tell of those that were named, and leave out those that are gone', async () => {
    const [kept = ''] = ids;
    const { id: going } = await service.create();
    const stream = watch({ ids: [kept, going], intervalDuration: every(100) });
    const sizes = new Set<number>();
    for await (const { entries } of stream) {
      sizes.add(entries.length);
      if (entries.length === 1) break;
      await service.channel.unary(Service.deleteCgroup, { id: going, force: true, run: undefined });
    }
    expect([...sizes]).toEqual([2, 1]);
  });

  it('are refused for what can never be', async () => {
    const refused = (request: Partial<WatchStatsRequest>) => collect(watch(request));
    await expect(refused({ ids: [newContainerId()] })).rejects.toMatchObject({
      reason: 'CGROUP_NOT_FOUND',
    });
    await expect(refused({ ids: ['../x'] })).rejects.toMatchObject({ reason: 'INVALID_ID' });
    for (const request of [{ intervalDuration: every(99) }, { sampleCount: -1 }]) {
      await expect(refused(request)).rejects.toMatchObject({ reason: 'INVALID_ARGUMENT' });
    }
  });
});
