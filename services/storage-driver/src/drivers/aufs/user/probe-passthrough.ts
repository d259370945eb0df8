import { join } from 'node:path';
import { runMountProgram } from '../mount-program.js';
import { askUnion, waitForEnd } from './control-socket.js';
import { runUnion } from './union-program.js';

const PROBE_MS = 20_000;

/**
 * Mounts a union for a moment, to find out whether that works here and how.
 *
 * @param directory - Has the empty directories `m`, `up` and `low`.
 * @returns Whether the kernel reads and writes files of branches by itself.
 */
export async function probePassthrough(program: string, directory: string): Promise<boolean> {
  const [mountPoint, control] = [join(directory, 'm'), join(directory, 'c')];
  const where = ['--mount-point', mountPoint, '--control', control];
  const branches = [`${join(directory, 'up')}=rw`, `${join(directory, 'low')}=ro+wh`];
  const args = ['mount', ...where, ...branches.flatMap((branch) => ['--branch', branch])];
  await runUnion(program, args, { timeoutMs: PROBE_MS, until: 'ready' });
  try {
    return (await askUnion(control, ['stat'])).includes('passthrough=on');
  } finally {
    await runMountProgram('umount', ['--lazy', '--', mountPoint]);
    await waitForEnd(control, PROBE_MS);
  }
}
