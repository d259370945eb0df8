import { existsSync } from 'node:fs';
import { teuError } from '@teu/errors';
import { titleOf } from '../domain/group-path.js';
import type { CgroupTree } from './cgroup-tree.js';
import { canFreeze, thawAll, tryFreeze } from './freeze-group.js';
import { isErrno, readIfThere, writeGroupFile } from './group-files.js';
import { readProcesses } from './group-processes.js';
import { waitUntil } from './wait-until.js';

/** How long one round waits for all to stop; killed ones die anyway, so it need not succeed. */
const STOP_TIMEOUT_MS = 500;
/** How long a round waits for the killed to be gone before it looks for new ones. */
const DEATH_TIMEOUT_MS = 200;
/** All rounds together. */
const KILL_TIMEOUT_MS = 10_000;

/**
 * Kills all processes of a group and below, also ones that fork meanwhile, and waits until none is
 * left. Version 2 has a file for it (cgroup.kill, Linux 5.14). On version 1 the group is frozen first:
 * frozen processes cannot fork and their ids cannot be given to others, so every one of them is
 * found and hit. They die when the group is thawed, which it is afterwards whatever it was before.
 *
 * @returns How many processes were signalled.
 * @throws CGROUP_BUSY if some are still there after 10 s (in an uninterruptible wait)
 */
export async function killGroup(tree: CgroupTree, id: string): Promise<number> {
  const killed = new Set<number>();
  const end = performance.now() + KILL_TIMEOUT_MS;
  while (performance.now() < end) {
    const processes = membersOf(tree, id);
    if (processes.length === 0) return killed.size;
    for (const pid of await killRound(tree, id, processes)) killed.add(pid);
    await waitUntil(() => membersOf(tree, id).length === 0, DEATH_TIMEOUT_MS);
  }
  const left = String(membersOf(tree, id).length);
  const { title, metadata } = titleOf(id);
  throw teuError('CGROUP_BUSY', `${left} processes of ${title} were killed but do not die`, {
    metadata: { ...metadata, process_count: left },
  });
}

/** Also one that was stopped while it joined one hierarchy after the other, and is in the last one alone. */
function membersOf(tree: CgroupTree, id: string): number[] {
  const paths = new Set([tree.processGroup(id), tree.lastGroup(id)]);
  return [...new Set([...paths].flatMap((path) => readProcesses(path)))];
}

async function killRound(tree: CgroupTree, id: string, seen: number[]): Promise<number[]> {
  const { path, hierarchy } = tree.control(id);
  if (hierarchy.version === 2 && existsSync(`${path}/cgroup.kill`)) {
    const inTree = new Set(readProcesses(path));
    writeGroupFile(`${path}/cgroup.kill`, '1');
    signalAll(seen.filter((pid) => !inTree.has(pid)));
    letDie(tree, id, seen);
    return seen;
  }
  if (!canFreeze(tree)) return signalAll(seen);
  await tryFreeze(tree, id, STOP_TIMEOUT_MS);
  const signalled = signalAll(readProcesses(path));
  letDie(tree, id, signalled);
  return signalled;
}

/**
 * Lets killed processes end: on version 1 a frozen one hears of no signal. If a group above is frozen, they are taken to
 * the engine's own group, which nobody freezes; there they wake up and end at once.
 */
function letDie(tree: CgroupTree, id: string, killed: readonly number[]): void {
  thawAll(tree, id);
  const { path, hierarchy } = tree.freezer(id);
  if (hierarchy.version === 2) return;
  if (readIfThere(`${path}/freezer.parent_freezing`)?.trim() !== '1') return;
  const engine = path.slice(0, path.indexOf(tree.groupPath) + tree.groupPath.length);
  for (const pid of killed) {
    try {
      writeGroupFile(`${engine}/cgroup.procs`, String(pid));
    } catch (error) {
      if (!isErrno(error, 'ESRCH')) throw error;
    }
  }
}

function signalAll(pids: number[]): number[] {
  return pids.filter((pid) => {
    try {
      return process.kill(pid, 'SIGKILL');
    } catch (error) {
      if (isErrno(error, 'ESRCH')) return false;
      throw error;
    }
  });
}
