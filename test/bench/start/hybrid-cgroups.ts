import { existsSync, mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { capture } from '../harness/process.js';

const hierarchy = '/sys/fs/cgroup/hugetlb';

/**
 * crun refuses a host whose version 2 tree has a controller beside version 1 hierarchies. Where
 * hugetlb is such a controller, mounting it on version 1 for the time of the run takes it away from
 * version 2. Returns what undoes it.
 */
export function freeVersion2OfControllers(): () => void {
  const unified = '/sys/fs/cgroup/unified/cgroup.controllers';
  const controllers = existsSync(unified) ? readFileSync(unified, 'utf8').trim() : '';
  if (controllers !== 'hugetlb' || existsSync(hierarchy)) return () => undefined;
  mkdirSync(hierarchy);
  capture('mount', ['-t', 'cgroup', '-o', 'hugetlb', 'cgroup', hierarchy]);
  return () => {
    capture('umount', [hierarchy]);
    rmdirSync(hierarchy);
  };
}
