import { runProgram, waitFor } from '@teu/testing';
import { readdirSync, readFileSync } from 'node:fs';
import process from 'node:process';
import { ownMounts } from '../../mount-info.js';

/** Processes of unions that are mounted in a directory or below it. */
export function unionPids(directory: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .filter((name) => isUnionIn(name, directory))
    .map(Number);
}

function isUnionIn(pid: string, directory: string): boolean {
  try {
    const [program = '', ...words] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return program.endsWith('teu-union') && words.some((word) => word.startsWith(`${directory}/`));
  } catch {
    return false;
  }
}

/** Where unions of a directory are mounted, as this process sees it. */
export function unionPoints(directory: string): string[] {
  return ownMounts()
    .map(({ mountPoint }) => mountPoint)
    .filter((path) => path.startsWith(`${directory}/`));
}

/** What a reboot does to unions: nothing is mounted, and no process is left. */
export async function endUnions(directory: string): Promise<void> {
  for (const path of unionPoints(directory).reverse()) {
    await runProgram('umount', ['--lazy', '--no-canonicalize', path]);
  }
  for (const pid of unionPids(directory)) process.kill(pid, 'SIGKILL');
  await waitFor(() => unionPids(directory).length === 0);
}
