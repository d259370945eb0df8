import { describe, afterAll, beforeAll, expect } from 'vitest';
import { existsSync } from 'node:fs';
import type { HierarchyMode } from '@teu/proto/cgroup';
import type { CgroupHost } from '../../domain/host.js';
import { describeAllLimits } from './all-limits-cases.js';
import { describeDevices } from './device-cases.js';
import { GroupProbe } from './group-probe.js';
import { describeLimits } from './limit-cases.js';
import { describeLives } from './life-cases.js';
import { describeMeasuring } from './measuring-cases.js';
import { describeProcesses } from './process-cases.js';
import { describeUpdates } from './update-cases.js';

/** A way in which a host can have set up cgroups. */
export interface HostKind {
  readonly name: string;
  readonly modes: readonly HierarchyMode[];
  /** The hierarchies to use; all of this machine if not given. */
  readonly host?: () => CgroupHost;
}

/** What the service promises on every kind of host: the same cases on each. */
export function describeCgroups({ name, modes, host }: HostKind): void {
  describe(name, () => {
    let started: GroupProbe;
    beforeAll(async () => {
      started = await GroupProbe.start(host?.());
    });
    afterAll(async () => {
      const groups = started.engineGroups();
      await started.close();
      expect(groups.filter((path) => existsSync(path))).toEqual([]);
    });
    const probe = (): GroupProbe => started;

    describeLimits(probe, modes);
    describeAllLimits(probe);
    describeUpdates(probe);
    describeDevices(probe);
    describeMeasuring(probe);
    describeProcesses(probe);
    describeLives(probe);
  });
}
