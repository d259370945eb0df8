import { HierarchyMode } from '@teu/proto/cgroup';
import { requires } from '@teu/testing';
import { describe } from 'vitest';
import { describeCgroups } from './testing/suite/describe-cgroups.js';

describe.runIf(requires('root', 'cgroup_v1'))('on this machine as it is', () => {
  describeCgroups({
    name: 'cgroups of version 1, and beside them a tree of version 2 if there is one',
    modes: [HierarchyMode.HIERARCHY_MODE_V1, HierarchyMode.HIERARCHY_MODE_HYBRID],
  });
});
