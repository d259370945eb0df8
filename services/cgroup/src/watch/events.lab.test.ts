import { CgroupAction } from '@teu/proto/event';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeEvents, describeRelease } from '../testing/suite/event-cases.js';
import { EventProbe } from '../testing/suite/event-probe.js';
import { MEBIBYTE } from '../testing/suite/group-probe.js';

describe('what the kernel notifies of on version 2', () => {
  let probe: EventProbe;
  beforeAll(async () => {
    const pressure = ['--pressure-threshold', 'memory=1'];
    probe = await EventProbe.start([
      '--event-window',
      '0s',
      '--throttle-interval',
      '200ms',
      ...pressure,
    ]);
  });
  afterAll(() => probe.close());

  describeRelease(() => probe, 10);
  describeEvents(() => probe);

  it('tells of memory above which a container is slowed down, and that it waits', async () => {
    const cgroup = await probe.groups.create({ memory: { high: 8 * MEBIBYTE } });
    const grow = 'timeout -s KILL 5 dd if=/dev/zero of=/dev/null bs=24M count=1; true';
    await probe.groups.run(cgroup, grow).ended;
    const high = await probe.next(cgroup.id, ({ limit }) => limit === 'memory.high');
    expect(high).toMatchObject({
      action: CgroupAction.CGROUP_ACTION_LIMIT_REACHED,
      limitValue: 8 * MEBIBYTE,
    });
    const waits = await probe.next(cgroup.id, ({ resource }) => resource === 'memory');
    expect(waits.action).toBe(CgroupAction.CGROUP_ACTION_PRESSURE);
    expect(probe.kills(cgroup.id)).toEqual([]);
  });
});
