import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import type { CgroupHost } from '../../../domain/host.js';
import { describeBudgets } from './budget-cases.js';
import { describeForce } from './force-cases.js';
import { GroupsProbe } from './groups-probe.js';
import { describeInherited } from './inherited-cases.js';
import { describeTree } from './tree-cases.js';

/** What groups of containers promise on every kind of host: the same cases on each. */
export function describeGroups(name: string, host?: () => CgroupHost): void {
  describe(name, () => {
    let started: GroupsProbe;
    beforeAll(async () => {
      started = await GroupsProbe.start(host?.());
    });
    afterAll(async () => {
      const { groupPath } = started.service;
      const trees = ['', 'unified/', 'memory/', 'freezer/', 'pids/'];
      await started.close();
      const left = trees.map((tree) => `/sys/fs/cgroup/${tree}${groupPath}`).filter(existsSync);
      expect(left).toEqual([]);
    });
    const probe = (): GroupsProbe => started;

    describeTree(probe);
    describeBudgets(probe);
    describeInherited(probe);
    describeForce(probe);
  });
}
