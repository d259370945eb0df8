import { readFile } from 'node:fs/promises';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CgroupPlan, NamespacesPlan } from '@teu/native';
import type { JoinFacts } from '../domain/plan/exec-plan.js';

const NAME = 'container.json';
const VERSION = 1;

interface StoredRecord extends JoinFacts {
  version: number;
}

/**
 * Keeps what later execs have to know of a container. Not synced: after a power cut the container is gone anyway.
 * Written synchronously, because the way through the thread pool takes longer than the write.
 */
export function writeContainerRecord(directory: string, facts: JoinFacts): void {
  const record: StoredRecord = { version: VERSION, ...facts };
  writeFileSync(join(directory, NAME), JSON.stringify(record), { mode: 0o600 });
}

/** The record of a container; null if it was never written whole: then the launch was never finished. */
export async function readContainerRecord(directory: string): Promise<JoinFacts | null> {
  const text = await readFile(join(directory, NAME), 'utf8').catch(() => '');
  try {
    return checkRecord(JSON.parse(text));
  } catch {
    return null;
  }
}

function checkRecord(value: unknown): JoinFacts {
  const { version, namespaces, cgroup, profile } = value as Partial<StoredRecord>;
  if (version !== VERSION) throw new RangeError('unknown version');
  if (profile !== 'default' && profile !== 'unconfined') throw new RangeError('unknown profile');
  if (!Array.isArray(namespaces)) throw new TypeError('no namespaces');
  const { v1TasksFiles, v2Directory } = cgroup as Partial<CgroupPlan>;
  if (!Array.isArray(v1TasksFiles)) throw new TypeError('no cgroups');
  return {
    profile,
    namespaces: namespaces as (keyof NamespacesPlan)[],
    cgroup: { v1TasksFiles, v2Directory: v2Directory ?? null },
  };
}
