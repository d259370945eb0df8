import { newContainerId } from '@teu/ids';
import {
  CgroupServiceService as Service,
  GroupServiceService,
  WatchStatsRequest,
  type StatsEntry,
  type WatchStatsResponse,
} from '@teu/proto/cgroup';
import { requires } from '@teu/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runInGroup } from '../testing/run-in-group.js';
import { startService, type StartedService } from '../testing/start-service.js';

describe.runIf(requires('root'))('streams of figures', () => {
  let service: StartedService;
  const ids: string[] = [];
  let v2Directory = '';
  beforeAll(async () => {
    service = await startService();
    for (let count = 0; count < 12; count += 1) {
      const cgroup = await service.create();
      ids.push(cgroup.id);
      v2Directory = cgroup.membership?.v2Directory ?? '';
    }
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

  it('tell of groups, and of what is in one', async () => {
    const { channel } = service;
    const group = (name: string) => ({ name, resources: undefined, labels: {} });
    for (const name of ['team', 'team/build']) {
      await channel.unary(GroupServiceService.createGroup, group(name));
    }
    const id = newContainerId();
    const create = { id, group: 'team/build', resources: undefined };
    const { cgroup } = await channel.unary(Service.createCgroup, create);
    const { ended } = runInGroup(cgroup!.membership!, 'head -c 4m /dev/zero | tail > /dev/null');
    await ended;
    const tell = async (request: Partial<WatchStatsRequest>) => {
      const [sample = []] = await collect(watch({ ...request, sampleCount: 1 }));
      return sample.map(({ containerId, group: place }) => [containerId, place]);
    };
    const groups = [
      ['', 'team'],
      ['', 'team/build'],
    ];
    expect(await tell({ group: 'team' })).toEqual([[id, 'team/build']]);
    expect(await tell({ group: 'team', withGroups: true })).toEqual([
      ...groups,
      [id, 'team/build'],
    ]);
    expect(await tell({ withGroups: true })).toHaveLength(ids.length + 3);
    expect(await tell({ ids: [ids[0] ?? ''], group: 'team' })).toEqual([]);
    const [[team, build, member] = []] = await collect(
      watch({ group: 'team', withGroups: true, sampleCount: 1 }),
    );
    expect(team?.stats?.cpu?.usageDuration?.nanos).toBeGreaterThan(0);
    expect(build?.stats?.memory?.peakBytes).toBeGreaterThan(4 << 20);
    expect(member?.stats?.memory?.peakBytes).toBeGreaterThan(4 << 20);
    await channel.unary(Service.deleteCgroup, { id, force: true, run: undefined });
    await channel.unary(GroupServiceService.deleteGroup, { name: 'team', recursive: true });
    await expect(collect(watch({ group: 'team' }))).rejects.toMatchObject({
      reason: 'GROUP_NOT_FOUND',
    });
  });

  it('tell of pressure where the kernel does', async () => {
    const [[entry] = []] = await collect(watch({ sampleCount: 1 }));
    const isTold = v2Directory !== '' && requires('psi');
    expect(entry?.stats?.pressure?.memory?.some?.totalDuration !== undefined).toBe(isTold);
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
