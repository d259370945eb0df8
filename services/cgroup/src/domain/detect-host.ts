import { HierarchyMode } from '@teu/proto/cgroup';
import {
  isOnDemand,
  USED_CONTROLLERS,
  type CgroupHost,
  type ControllerName,
  type Hierarchy,
} from './host.js';

/** Files that tell how the host has set up cgroups. */
export interface HostFiles {
  /** /proc/self/mountinfo (proc_pid_mountinfo(5)). */
  readonly mountinfo: string;
  /** /proc/cgroups (cgroups(7)): the version 1 controllers. */
  readonly cgroups: string;
  /** Reads cgroup.controllers of a version 2 mount. */
  readonly readControllers: (mountPath: string) => string;
}

interface CgroupMountPoint {
  readonly version: 1 | 2;
  readonly mountPath: string;
  readonly options: readonly string[];
  readonly isReadOnly: boolean;
}

/**
 * Derives the hierarchies to use. A version 2 tree without controllers of ours is used beside hierarchies of version 1,
 * for what every such tree has: it can be killed and frozen as a whole, and tells of pressure.
 */
export function detectHost(files: HostFiles): CgroupHost {
  const mountPoints = parseMountinfo(files.mountinfo);
  const known = parseControllers(files.cgroups);
  const taken = new Set<string>();
  const hierarchies: Hierarchy[] = [];
  for (const mountPoint of mountPoints) {
    const all = controllersOf(mountPoint, known, files);
    const mountData = mountPoint.version === 1 ? all.join(',') : '';
    const controllers = all.filter((name) => isUsed(name) && !taken.has(name));
    if (controllers.length === 0 && !isBare(mountPoint, taken)) continue;
    if (mountPoint.version === 2) taken.add(TREE);
    for (const name of controllers) taken.add(name);
    const { version, mountPath } = mountPoint;
    hierarchies.push({
      version,
      mountPath,
      controllers: controllers as ControllerName[],
      mountData,
    });
  }
  const alone = !hierarchies.some(({ version }) => version === 1);
  const used = alone ? hierarchies.filter(hasControllers) : hierarchies;
  return { mode: modeOf(mountPoints, used), hierarchies: inOrder(used) };
}

/** Stands for the one tree of version 2 among the controllers that were found. */
const TREE = 'cgroup2';

/** Whether this is a first tree of version 2 that can be written to, with or without controllers of ours. */
function isBare({ version, isReadOnly }: CgroupMountPoint, taken: ReadonlySet<string>): boolean {
  return version === 2 && !isReadOnly && !taken.has(TREE);
}

function hasControllers({ controllers }: Hierarchy): boolean {
  return controllers.length > 0;
}

function modeOf(mounts: CgroupMountPoint[], used: Hierarchy[]): HierarchyMode {
  if (!used.some(({ version }) => version === 1)) {
    return used.length === 0
      ? HierarchyMode.HIERARCHY_MODE_UNSPECIFIED
      : HierarchyMode.HIERARCHY_MODE_V2;
  }
  return mounts.some(({ version }) => version === 2)
    ? HierarchyMode.HIERARCHY_MODE_HYBRID
    : HierarchyMode.HIERARCHY_MODE_V1;
}

/**
 * The freezer last: kill and freeze work there, so a group without it was never handed out. What not every group is
 * in comes first, so that it is never last.
 */
function inOrder(hierarchies: Hierarchy[]): Hierarchy[] {
  const rank = (hierarchy: Hierarchy): number => {
    if (isOnDemand(hierarchy)) return 0;
    return hierarchy.version === 1 && hierarchy.controllers.includes('freezer') ? 2 : 1;
  };
  return [...hierarchies].sort((a, b) => rank(a) - rank(b));
}

function isUsed(name: string): name is ControllerName {
  return (USED_CONTROLLERS as readonly string[]).includes(name);
}

function controllersOf(
  { version, mountPath, options }: CgroupMountPoint,
  known: ReadonlySet<string>,
  files: HostFiles,
): string[] {
  if (version === 1) return options.filter((option) => known.has(option));
  return files.readControllers(mountPath).split(/\s+/).filter(Boolean);
}

/** Names of the controllers that are compiled in and not switched off. */
function parseControllers(text: string): Set<string> {
  const rows = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const fields = rows.map((line) => line.split('\t'));
  return new Set(fields.filter((row) => row[3] === '1').map((row) => row[0] ?? ''));
}

function parseMountinfo(text: string): CgroupMountPoint[] {
  const mounts: CgroupMountPoint[] = [];
  for (const line of text.split('\n')) {
    // "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw": optional fields end at "-".
    const [left, right] = line.split(' - ');
    const [, , , , mountPath, flags] = left?.split(' ') ?? [];
    const [type, , options] = right?.split(' ') ?? [];
    if (mountPath === undefined || (type !== 'cgroup' && type !== 'cgroup2')) continue;
    mounts.push({
      version: type === 'cgroup' ? 1 : 2,
      mountPath: unescapeOctal(mountPath),
      options: options?.split(',') ?? [],
      isReadOnly: flags?.split(',').includes('ro') === true,
    });
  }
  return mounts;
}

function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
