import { requires } from '@teu/testing';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from 'vitest';
import { describeUsage } from './testing/suite/usage-cases.js';

const BYTES = 64 * 2 ** 20;

describe.runIf(requires('root', 'cgroup_v1'))('on this machine as it is', () => {
  describeUsage((directory) => {
    const path = join(directory, 'file');
    writeFileSync(path, Buffer.alloc(BYTES, 1));
    return path;
  });
});
