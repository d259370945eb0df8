import { describe } from 'vitest';
import { describeUsage } from './testing/suite/usage-cases.js';

describe('on a host with version 2 alone', () => describeUsage(() => '/dev/vda'));
