import type { Mount } from '@teu/proto/snapshots';
import { runProgram } from '@teu/testing/run-program';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Performs what a driver returned at a directory, by mount(8): a stranger's view of the mounts, which
 * shares no code with the engine.
 */
export async function mountSnapshot(mounts: readonly Mount[], directory: string): Promise<void> {
  mkdirSync(directory, { recursive: true });
  for (const { type, source, target, options } of mounts) {
    const place = join(directory, target);
    const isBind = options.includes('rbind') || options.includes('bind');
    const joined = options.join(',');
    await mustRun(
      'mount',
      isBind ? ['-o', joined, source, place] : ['-t', type, '-o', joined, source, place],
    );
    // The kernel takes "ro" of a bind only in a second step (mount(2), MS_REMOUNT|MS_BIND).
    if (isBind && options.includes('ro')) await mustRun('mount', ['-o', 'remount,bind,ro', place]);
  }
}

/** Takes the mounts at a directory away again. */
export async function unmountSnapshot(directory: string): Promise<void> {
  await mustRun('umount', ['--recursive', directory]);
}

async function mustRun(program: string, args: string[]): Promise<void> {
  const { code, stderr } = await runProgram(program, args);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
}
