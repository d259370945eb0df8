import type { CgroupPlan, LaunchPlan, NamespacesPlan, ProcessIdentity } from '@teu/native';
import type { LogLimits, Process } from '@teu/proto/executor';
import type { LaunchPlaces } from './container-plan.js';
import { planLog } from './log-limits.js';
import { joinNamespaces } from './namespaces.js';
import { planProcess } from './process.js';
import { filterMaker, type ProfileName } from './seccomp.js';

/** What a container's record keeps for the programs that join it. */
export interface JoinFacts {
  /** Namespaces that it does not share with the host. */
  namespaces: readonly (keyof NamespacesPlan)[];
  cgroup: CgroupPlan;
  profile: ProfileName;
}

/** Turns a process into a plan that joins a container: its namespaces, its cgroups, its filter's profile. */
export function planExec(
  id: string,
  process: Process | undefined,
  logLimits: LogLimits | undefined,
  places: Omit<LaunchPlaces, 'mountPoint'>,
  target: ProcessIdentity,
  facts: JoinFacts,
): LaunchPlan {
  return {
    id,
    directory: places.directory,
    socketPath: places.socketPath,
    hold: false,
    holdWorld: false,
    log: planLog(logLimits, 'log_limits'),
    namespaces: joinNamespaces(facts.namespaces),
    target,
    idMappings: null,
    timeOffsets: null,
    cgroup: facts.cgroup,
    rootfs: null,
    mounts: [],
    devices: [],
    links: [],
    maskedPaths: [],
    readonlyPaths: [],
    hostname: null,
    domainname: null,
    sysctl: [],
    process: planProcess(process, 'process', filterMaker(facts.profile)),
  };
}
