import { requires } from '@teu/testing';
import { afterAll, beforeAll, describe } from 'vitest';
import { describeDistrust, describeEvents, describeRelease } from '../testing/suite/event-cases.js';
import { EventProbe } from '../testing/suite/event-probe.js';

describe.runIf(requires('root', 'cgroup_v1'))('what the kernel notifies of on version 1', () => {
  let probe: EventProbe;
  beforeAll(async () => {
    probe = await EventProbe.start(['--throttle-interval', '200ms', '--pressure-level', 'off']);
  });
  afterAll(() => probe.close());

  describeEvents(() => probe);
  describeDistrust(() => probe);
});

describe.runIf(requires('root', 'cgroup_v1'))('many groups on version 1', () => {
  let probe: EventProbe;
  beforeAll(async () => {
    probe = await EventProbe.start([]);
  });
  afterAll(() => probe.close());

  describeRelease(() => probe, 200);
});
