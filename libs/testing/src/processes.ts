import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import process from 'node:process';
import { isUnder } from './mount-table.js';

/** The directories and the name by which one engine is told from the others on the machine. */
export interface EngineInstance {
  runDir: string;
  dataDir: string;
}

/** Numbers of all processes. */
export function allPids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** Command line of a process, words separated by blanks; empty if it is gone. */
export function commandLine(pid: number): string {
  return readText(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
}

/** Where the descriptors of a process lead. */
export function descriptorTargets(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
      } catch {
        return [];
      }
    });
  } catch {
    return [];
  }
}

/**
 * Processes that belong to an engine: started with its directories in their environment or command
 * line, holding a socket in its run directory, or in a cgroup of it.
 */
export function instancePids(instance: EngineInstance, cgroupName: string): number[] {
  const sockets = socketInodes(instance.runDir);
  return allPids().filter(
    (pid) => pid !== process.pid && belongs(pid, instance, cgroupName, sockets),
  );
}

/** Supervisors of containers: they hold the sockets in `<runDir>/c/`. */
export function supervisorPids(instance: EngineInstance): number[] {
  const sockets = socketInodes(`${instance.runDir}/c`);
  return allPids().filter((pid) => holdsSocket(pid, sockets));
}

function belongs(
  pid: number,
  { runDir, dataDir }: EngineInstance,
  cgroupName: string,
  sockets: Set<string>,
): boolean {
  const environment = readText(`/proc/${pid}/environ`).split('\0');
  if (environment.includes(`TEU_RUN_DIR=${runDir}`) && !isTestRunner(environment)) return true;
  const words = readText(`/proc/${pid}/cmdline`).split('\0');
  if (words.some((word) => isUnder(word, runDir) || isUnder(word, dataDir))) return true;
  const cgroups = readText(`/proc/${pid}/cgroup`).split('\n');
  if (cgroups.some((line) => `${line}/`.includes(`/teu/${cgroupName}/`))) return true;
  return holdsSocket(pid, sockets);
}

/** Programs that a test starts inherit vitest's variables; services and containers do not. */
function isTestRunner(environment: string[]): boolean {
  return environment.some((entry) => entry.startsWith('VITEST_POOL_ID='));
}

function holdsSocket(pid: number, inodes: Set<string>): boolean {
  return inodes.size > 0 && descriptorTargets(pid).some((target) => inodes.has(target));
}

/** Sockets bound below a directory, as `socket:[inode]`. */
function socketInodes(directory: string): Set<string> {
  const lines = readText('/proc/net/unix').split('\n').slice(1);
  return new Set(
    lines.flatMap((line) => {
      const fields = line.trim().split(/\s+/);
      return isUnder(fields[7] ?? '', directory) ? [`socket:[${fields[6] ?? ''}]`] : [];
    }),
  );
}

/** Paths of the sockets bound below a directory. */
export function boundSockets(directory: string): string[] {
  const lines = readText('/proc/net/unix').split('\n').slice(1);
  const paths = lines.map((line) => line.trim().split(/\s+/)[7] ?? '');
  return [...new Set(paths.filter((path) => isUnder(path, directory)))];
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
