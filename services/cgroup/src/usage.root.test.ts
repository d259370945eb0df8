import { requires } from '@teu/testing';
import { describe } from 'vitest';
import { describeUsage } from './testing/suite/usage-cases.js';

describe.runIf(requires('root', 'cgroup_v1'))('on this machine as it is', describeUsage);
