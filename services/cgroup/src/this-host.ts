import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { detectHost } from './domain/detect-host.js';
import type { CgroupHost } from './domain/host.js';

/** Looks at how this machine has set up cgroups. */
export function detectThisHost(): CgroupHost {
  return detectHost({
    mountinfo: readFileSync('/proc/self/mountinfo', 'utf8'),
    cgroups: readFileSync('/proc/cgroups', 'utf8'),
    readControllers: (mountPath) => readFileSync(join(mountPath, 'cgroup.controllers'), 'utf8'),
  });
}
