import { HierarchyMode } from '@teu/proto/cgroup';
import { requires } from '@teu/testing';
import { describe } from 'vitest';
import { describeGroups } from './testing/suite/groups/describe-groups.js';
import { detectThisHost } from './this-host.js';

// A version 2 tree beside them is left out, so that this is a host that has version 1 alone.
describe.runIf(requires('root', 'cgroup_v1'))('on hierarchies of version 1', () => {
  describeGroups('groups of containers', () => ({
    mode: HierarchyMode.HIERARCHY_MODE_V1,
    hierarchies: detectThisHost().hierarchies.filter(({ version }) => version === 1),
  }));
});
