import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeExit } from './frame-payloads.js';
import type { LaunchPlan, ProcessIdentity } from './launch-plan.js';
import { encodeLaunchPlan } from './plan-encoder.js';
import type { ExitInfo } from './supervisor-types.js';

const EXIT_BYTES = 40;

/** How the program of a launch directory ended; null while it has not (or if its supervisor was killed first). */
export async function readExit(directory: string): Promise<ExitInfo | null> {
  const bytes = await readIfPresent(join(directory, 'exit'));
  if (bytes === null) return null;
  if (bytes.length !== EXIT_BYTES) throw new RangeError(`exit record of ${bytes.length} bytes`);
  return decodeExit(bytes);
}

/** What the `pid` file says: the process, and the boot it belongs to. Null if it was never written whole. */
export async function readProcessIdentity(
  directory: string,
): Promise<(ProcessIdentity & { bootId: string; supervisorPid: number }) | null> {
  const bytes = await readIfPresent(join(directory, 'pid'));
  const match = /^(\d+) (\d+) (\d+) ([0-9a-f-]{36})\n$/.exec(bytes?.toString('latin1') ?? '');
  if (match === null) return null;
  const [, pid, startTicks, supervisorPid, bootId] = match as unknown as string[] & { length: 5 };
  return {
    pid: Number(pid),
    startTicks: BigInt(startTicks ?? 0),
    supervisorPid: Number(supervisorPid),
    bootId: bootId ?? '',
  };
}

/**
 * Writes the plan of the program that a held world is to run, for `startPlanned()`. Synchronous, because the way
 * through the thread pool takes longer than the write. The supervisor removes it once it has it.
 */
export function writeProgramPlan(plan: LaunchPlan): void {
  writeFileSync(join(plan.directory, 'program'), encodeLaunchPlan(plan), { mode: 0o600 });
}

async function readIfPresent(path: string): Promise<Buffer | null> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
