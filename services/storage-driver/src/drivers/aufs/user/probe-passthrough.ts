import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runMountProgram } from '../mount-program.js';
import { askUnion, waitForEnd } from './control-socket.js';
import { runUnion } from './union-program.js';

const PROBE_MS = 20_000;
const FILE = 'file';

/**
 * Mounts a union for a moment, to find out whether that works here and how.
 *
 * @param directory - Has the empty directories `m`, `up` and `low`.
 * @returns Whether the kernel reads and writes files of branches by itself: it may offer that, and then
 *   not do it for the file system below.
 */
export async function probePassthrough(program: string, directory: string): Promise<boolean> {
  const [mountPoint, control] = [join(directory, 'm'), join(directory, 'c')];
  await writeFile(join(directory, 'low', FILE), FILE);
  const where = ['--mount-point', mountPoint, '--control', control];
  const branches = [`${join(directory, 'up')}=rw`, `${join(directory, 'low')}=ro+wh`];
  const args = ['mount', ...where, ...branches.flatMap((branch) => ['--branch', branch])];
  await runUnion(program, args, { timeoutMs: PROBE_MS, until: 'ready' });
  try {
    const file = await open(join(mountPoint, FILE));
    // The count is of files that are open.
    const words = await askUnion(control, ['stat']).finally(() => file.close());
    const state = words.map((word) => word.split('='));
    return state.some(([name, value]) => name === 'passed' && Number(value) > 0);
  } finally {
    await runMountProgram('umount', ['--lazy', '--', mountPoint]);
    await waitForEnd(control, PROBE_MS);
  }
}
