import type { HierarchyMode } from '@teu/proto/cgroup';

/** Controllers that this service uses where the host has them. */
export const USED_CONTROLLERS = [
  'cpu',
  'cpuacct',
  'memory',
  'pids',
  'blkio',
  'io',
  'devices',
  'freezer',
  'cpuset',
  'hugetlb',
] as const;
export type ControllerName = (typeof USED_CONTROLLERS)[number];

/** Controllers that few containers need: a hierarchy of these alone is joined only by whom it limits. */
const RARE_CONTROLLERS: readonly ControllerName[] = ['cpuset', 'hugetlb'];

/** A mounted tree of cgroups. One of version 1 has at least one controller that is used. */
export interface Hierarchy {
  readonly version: 1 | 2;
  readonly mountPath: string;
  /** Its controllers that are used, for example ["cpu", "cpuacct"]. */
  readonly controllers: readonly ControllerName[];
  /** All its controllers as a mount option, for example "cpu,cpuacct"; empty for version 2. */
  readonly mountData: string;
}

/**
 * Tells whether a group is made in a hierarchy only when a limit of it is asked for. Each hierarchy costs every
 * start a mkdir(2) and a join. In a tree of version 2 processes are killed, so that everybody is there.
 */
export function isOnDemand({ version, controllers }: Hierarchy): boolean {
  return version === 1 && controllers.every((name) => RARE_CONTROLLERS.includes(name));
}

/** How the host has set up cgroups. */
export interface CgroupHost {
  readonly mode: HierarchyMode;
  /** In the order in which groups are made; the last one marks a group as complete. */
  readonly hierarchies: readonly Hierarchy[];
}

/** Returns the hierarchy of a controller, if the host has it. */
export function hierarchyOf(host: CgroupHost, name: ControllerName): Hierarchy | undefined {
  return host.hierarchies.find(({ controllers }) => controllers.includes(name));
}
