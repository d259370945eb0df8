import { requires } from '@teu/testing';
import { afterAll, beforeAll, describe } from 'vitest';
import {
  describeDistrust,
  describeEvents,
  describeJoining,
  describeRelease,
} from '../testing/suite/event-cases.js';
import { EventProbe } from '../testing/suite/event-probe.js';

const EACH = ['--event-window', '0s'];

describe.runIf(requires('root', 'cgroup_v1'))('what the kernel notifies of on version 1', () => {
  let probe: EventProbe;
  beforeAll(async () => {
    probe = await EventProbe.start([
      ...EACH,
      '--throttle-interval',
      '200ms',
      '--pressure-level',
      'off',
    ]);
  });
  afterAll(() => probe.close());

  describeEvents(() => probe);
  describeDistrust(() => probe);
});

describe.runIf(requires('root', 'cgroup_v1'))('many groups on version 1', () => {
  let probe: EventProbe;
  beforeAll(async () => {
    probe = await EventProbe.start(['--event-window', '1h']);
  });
  afterAll(() => probe.close());

  describeRelease(() => probe, 200);
  describeJoining(() => probe);
});
