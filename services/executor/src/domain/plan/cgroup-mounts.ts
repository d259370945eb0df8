import { MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY } from '@teu/mounts';
import type { LaunchPlan, MountPlan } from '@teu/native';
import type { SpecMount } from '@teu/proto/executor';
import { planMount } from './mounts.js';
import { specError } from './spec-error.js';

const CGROUP_ROOT = '/sys/fs/cgroup';

/** What shows a container its own cgroups. */
export interface CgroupView {
  mounts: MountPlan[];
  links: LaunchPlan['links'];
  /** Made read-only after the mounts are in it. */
  readonlyPaths: string[];
}

/**
 * Cgroup file systems below /sys/fs/cgroup, always read-only: a writable one lets a container lift its limits, and on
 * version 1 run programs of the host (release_agent, CVE-2022-0492). The hierarchies of version 1 stand in a tmpfs of
 * their own, with the customary links (`cpu` for `cpu,cpuacct`).
 */
export function planCgroupMounts(mounts: readonly SpecMount[], field: string): CgroupView {
  const planned = mounts.map((mount, index) => planCgroupMount(mount, `${field}[${index}]`));
  if (!planned.some(({ target }) => target !== CGROUP_ROOT)) {
    return { mounts: planned, links: [], readonlyPaths: [] };
  }
  return {
    mounts: [HIERARCHIES, ...planned.filter(({ target }) => target !== CGROUP_ROOT)],
    links: planned.flatMap(({ target }) => controllerLinks(target)),
    readonlyPaths: [CGROUP_ROOT],
  };
}

const HIERARCHIES: MountPlan = {
  type: 'tmpfs',
  source: 'tmpfs',
  target: CGROUP_ROOT,
  flags: MS_NOSUID | MS_NODEV | MS_NOEXEC,
  propagation: 0,
  data: 'mode=755,size=64k',
};

function planCgroupMount(mount: SpecMount, field: string): MountPlan {
  if (mount.type !== 'cgroup' && mount.type !== 'cgroup2') {
    throw specError(`${field}.type`, 'is not a cgroup file system');
  }
  const options = mount.options.flatMap((option) => option.split(','));
  const plan = planMount({ ...mount, options }, field);
  const below = plan.target.slice(CGROUP_ROOT.length + 1);
  const isInside = plan.target === CGROUP_ROOT || plan.target === `${CGROUP_ROOT}/${below}`;
  if (!isInside || below.includes('/')) {
    throw specError(`${field}.destination`, `is not ${CGROUP_ROOT} or a name in it`);
  }
  return { ...plan, flags: plan.flags | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC };
}

function controllerLinks(target: string): LaunchPlan['links'] {
  const name = target.slice(CGROUP_ROOT.length + 1);
  if (!name.includes(',')) return [];
  return name.split(',').map((path) => ({ path: `${CGROUP_ROOT}/${path}`, target: name }));
}
