import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
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
  // An engine that ran here before may have left it passed on to groups that are gone.
  writeFileSync('/sys/fs/cgroup/unified/cgroup.subtree_control', '-hugetlb');
  mkdirSync(hierarchy);
  capture('mount', ['-t', 'cgroup', '-o', 'hugetlb', 'cgroup', hierarchy]);
  return () => {
    capture('umount', [hierarchy]);
    rmdirSync(hierarchy);
  };
}
