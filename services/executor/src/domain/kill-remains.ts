import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readProcessIdentity } from '@teu/native';
import type { ExecutorParts } from './executor-parts.js';
import { killRecorded } from './host-process.js';
import type { ProcessEntry } from './process-entry.js';

/** Rounds of reading a cgroup and killing who is in it: members may fork between the two. */
const KILL_ROUNDS = 20;

/**
 * Kills what a lost supervisor leaves behind. The first process takes its pid namespace along; the cgroup finds those
 * that were never in it. A lost exec process is killed alone: the container around it lives.
 */
export async function killRemains(parts: ExecutorParts, entry: ProcessEntry): Promise<void> {
  const recorded = await readProcessIdentity(entry.places.directory).catch(() => null);
  if (recorded !== null) killRecorded(recorded);
  if (entry.execId !== '') return;
  const cgroup = parts.registry.lookUp(entry.containerId)?.facts.cgroup;
  if (cgroup === undefined) return;
  if (cgroup.v2Directory !== null) {
    // cgroup.kill is there since Linux 5.14; an error means that the group is gone or older.
    await writeFile(join(cgroup.v2Directory, 'cgroup.kill'), '1').catch(() => undefined);
  }
  const [tasks] = cgroup.v1TasksFiles;
  if (tasks !== undefined) await killMembers(dirname(tasks));
}

async function killMembers(directory: string): Promise<void> {
  for (let round = 0; round < KILL_ROUNDS; round += 1) {
    const text = await readFile(join(directory, 'cgroup.procs'), 'latin1').catch(() => '');
    const members = text.split('\n').filter((line) => line !== '');
    if (members.length === 0) return;
    for (const member of members) {
      try {
        process.kill(Number(member), 'SIGKILL');
      } catch {
        // It ended meanwhile.
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
