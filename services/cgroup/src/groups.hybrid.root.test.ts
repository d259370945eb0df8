import { requires } from '@teu/testing';
import { describe } from 'vitest';
import { describeGroups } from './testing/suite/groups/describe-groups.js';

describe.runIf(requires('root', 'cgroup_v1'))('on this machine as it is', () => {
  describeGroups('groups of containers');
});
