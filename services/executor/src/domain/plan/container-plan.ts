import type { LaunchPlan } from '@teu/native';
import { Linux, type LogLimits, type Spec } from '@teu/proto/executor';
import { planCgroupMounts } from './cgroup-mounts.js';
import { planCgroups } from './cgroups.js';
import { checkAbsolutePath } from './check-text.js';
import { defaultLayout } from './default-layout.js';
import { planDevices } from './devices.js';
import { planHostName } from './host-names.js';
import { planLog } from './log-limits.js';
import { planMounts } from './mounts.js';
import { planNamespaces } from './namespaces.js';
import { planProcess } from './process.js';
import { planRootfs } from './rootfs.js';
import { filterMaker, parseProfile, type ProfileName } from './seccomp.js';
import { specError } from './spec-error.js';
import { planSysctls } from './sysctls.js';
import { planTimeOffsets } from './time-offsets.js';

/** Where on the host a launch has its things. */
export interface LaunchPlaces {
  /** Directory of the process: its log, exit record and identity. */
  directory: string;
  socketPath: string;
  /** Empty directory that roots are mounted on. */
  mountPoint: string;
}

/** Where a launch waits for word to go on: nowhere, before its program, or before it knows its program. */
export type Hold = 'nowhere' | 'program' | 'world';

/** What a container asks for, and what a later exec has to know of it. */
export interface ContainerPlan {
  plan: LaunchPlan;
  profile: ProfileName;
}

/**
 * Turns a spec into a launch plan. Nothing is guessed: a value that is not understood is refused with its path.
 * @throws INVALID_SPEC, INVALID_ARGUMENT, UNSUPPORTED_MOUNT
 */
export function planContainer(
  id: string,
  spec: Spec | undefined,
  logLimits: LogLimits | undefined,
  places: LaunchPlaces,
  hold: Hold,
): ContainerPlan {
  if (spec === undefined) throw specError('spec', 'is missing');
  const linux = spec.linux ?? Linux.create();
  const namespaces = planNamespaces(linux.namespaces, 'spec.linux.namespaces');
  const profile = parseProfile(linux.seccomp, 'spec.linux.seccomp');
  const plan: LaunchPlan = {
    id,
    directory: places.directory,
    socketPath: places.socketPath,
    hold: hold === 'program',
    holdWorld: hold === 'world',
    log: planLog(logLimits, 'log_limits'),
    namespaces,
    target: null,
    idMappings: null,
    timeOffsets: planTimeOffsets(linux.timeOffsets, namespaces, 'spec.linux.time_offsets'),
    cgroup: planCgroups(linux.cgroups, 'spec.linux.cgroups'),
    rootfs: planRootfs(spec.root, linux.rootfsPropagation, places.mountPoint),
    ...planFileSystems(spec, linux),
    maskedPaths: checkPaths(linux.maskedPaths, 'spec.linux.masked_paths'),
    hostname: planHostName(spec.hostname, namespaces, 'spec.hostname'),
    domainname: planHostName(spec.domainname, namespaces, 'spec.domainname'),
    sysctl: planSysctls(linux.sysctl, namespaces, 'spec.linux.sysctl'),
    process: planProcess(spec.process, 'spec.process', filterMaker(profile)),
  };
  return { plan, profile };
}

/** What stands in the root: the customary file systems, the cgroups' view, then what the spec asks for. */
function planFileSystems(
  spec: Spec,
  linux: Linux,
): Pick<LaunchPlan, 'mounts' | 'devices' | 'links' | 'readonlyPaths'> {
  const own = planMounts(spec.mounts, 'spec.mounts');
  const layout = defaultLayout(new Set(own.map(({ target }) => target)));
  const cgroups = planCgroupMounts(linux.cgroups?.mounts ?? [], 'spec.linux.cgroups.mounts');
  return {
    mounts: [...layout.mounts, ...cgroups.mounts, ...own],
    devices: [...layout.devices, ...planDevices(linux.devices, 'spec.linux.devices')],
    links: [...layout.links, ...cgroups.links],
    readonlyPaths: [
      ...checkPaths(linux.readonlyPaths, 'spec.linux.readonly_paths'),
      ...cgroups.readonlyPaths,
    ],
  };
}

function checkPaths(paths: readonly string[], field: string): string[] {
  return paths.map((path, index) => checkAbsolutePath(path, `${field}[${index}]`));
}
