import { readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { CgroupPlan } from '@teu/native';

/** Files of /proc that tell where a process is. */
export interface CgroupFiles {
  /** /proc/<pid>/cgroup (cgroups(7)). */
  readonly ofProcess: string;
  /** /proc/self/mountinfo (proc_pid_mountinfo(5)). */
  readonly mountinfo: () => string;
}

/**
 * How another program joins a container: as its first process did, and also the hierarchies of version 1 that this
 * process was brought into since. A change of limits does that where a hierarchy is joined only by need.
 */
export function joinAsNow(cgroup: CgroupPlan, pid: number): CgroupPlan {
  let ofProcess;
  try {
    ofProcess = readFileSync(`/proc/${pid}/cgroup`, 'utf8');
  } catch {
    // It has ended; that the join of its namespaces fails says so.
    return cgroup;
  }
  const mountinfo = (): string => readFileSync('/proc/self/mountinfo', 'utf8');
  return joinedCgroups(cgroup, { ofProcess, mountinfo });
}

/** The part of joinAsNow that looks at nothing. */
export function joinedCgroups(cgroup: CgroupPlan, files: CgroupFiles): CgroupPlan {
  const [first] = cgroup.v1TasksFiles;
  if (first === undefined) return cgroup;
  const own = basename(dirname(first));
  const groups = [...files.ofProcess.matchAll(/^\d+:([^:]+):(.*)$/gm)].filter(
    ([, , path = '']) => basename(path) === own,
  );
  if (groups.length <= cgroup.v1TasksFiles.length) return cgroup;
  const mounts = mountsOf(files.mountinfo());
  const now = groups.flatMap(([, names = '', path = '']) => {
    const mount = mounts.get(names);
    return mount === undefined ? [] : [`${mount}${path}/tasks`];
  });
  const more = now.filter((file) => !cgroup.v1TasksFiles.includes(file));
  return { ...cgroup, v1TasksFiles: [...cgroup.v1TasksFiles, ...more] };
}

/** Mount points of hierarchies of version 1, by their controllers: "cpu,cpuacct". */
function mountsOf(mountinfo: string): ReadonlyMap<string, string> {
  const mounts = new Map<string, string>();
  for (const line of mountinfo.split('\n')) {
    const [left = '', right = ''] = line.split(' - ');
    const [type, , options = ''] = right.split(' ');
    const path = left.split(' ')[4];
    if (type !== 'cgroup' || path === undefined) continue;
    const names = options.split(',').filter((option) => !['rw', 'ro', 'xattr'].includes(option));
    mounts.set(names.join(','), path);
  }
  return mounts;
}
