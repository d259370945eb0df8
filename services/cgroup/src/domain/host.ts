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
] as const;
export type ControllerName = (typeof USED_CONTROLLERS)[number];

/** A mounted tree of cgroups. One of version 1 has at least one controller that is used. */
export interface Hierarchy {
  readonly version: 1 | 2;
  readonly mountPath: string;
  /** Its controllers that are used, for example ["cpu", "cpuacct"]. */
  readonly controllers: readonly ControllerName[];
  /** All its controllers as a mount option, for example "cpu,cpuacct"; empty for version 2. */
  readonly mountData: string;
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
