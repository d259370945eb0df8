import { readFileSync } from 'node:fs';
import type { ProcessIdentity } from '@teu/native';

/** What a `pid` file tells. */
export interface RecordedProcess extends ProcessIdentity {
  bootId: string;
}

let ownBootId: string | undefined;

/** Identity of this boot of the kernel: a pid of another boot means nothing. */
export function bootId(): string {
  ownBootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  return ownBootId;
}

/** Does the very process that was recorded still exist, and not a later one with its number? */
export function isAlive(recorded: RecordedProcess): boolean {
  return recorded.bootId === bootId() && startTicks(recorded.pid) === recorded.startTicks;
}

/**
 * Kills a process by its identity. Between the check and the signal its number could only be taken again if the kernel
 * went once around all numbers; a supervisor, which holds a pidfd, is asked wherever there is one.
 */
export function killRecorded(recorded: RecordedProcess): void {
  if (!isAlive(recorded)) return;
  try {
    process.kill(recorded.pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}

/** Field 22 of /proc/PID/stat, or null if there is no such process or it is a zombie (proc_pid_stat(5)). */
function startTicks(pid: number): bigint | null {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return null;
  }
  // The second field is the program's name in brackets, with anything in it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state] = fields;
  if (state === 'Z' || state === 'X') return null;
  return BigInt(fields[19] ?? -1);
}
