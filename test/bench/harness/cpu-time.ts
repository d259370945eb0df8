import { readdirSync, readFileSync } from 'node:fs';

/**
 * Processor time that processes have used so far, user and system, in milliseconds: of all their threads that
 * live, to the nanosecond (/proc/PID/task/TID/schedstat, sched-stats.rst in the kernel's documentation).
 */
export function cpuMs(...pids: readonly number[]): number {
  let nanoseconds = 0;
  for (const pid of pids) {
    for (const thread of readdirSync(`/proc/${String(pid)}/task`)) {
      nanoseconds += threadNanoseconds(`/proc/${String(pid)}/task/${thread}/schedstat`);
    }
  }
  return nanoseconds / 1e6;
}

function threadNanoseconds(path: string): number {
  try {
    return Number(readFileSync(path, 'utf8').split(' ')[0]);
  } catch {
    return 0; // It has ended meanwhile.
  }
}
