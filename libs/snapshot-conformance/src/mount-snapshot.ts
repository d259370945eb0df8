import type { Mount } from '@teu/proto/snapshots';
import { runProgram } from '@teu/testing/run-program';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

/** Runs a program to its end. */
export type Execute = (
  program: string,
  args: readonly string[],
) => Promise<{ code: number; stderr: string }>;

/**
 * Performs what a driver returned at a directory, by mount(8): a stranger's view of the mounts, which
 * shares no code with the engine.
 */
export async function mountSnapshot(
  mounts: readonly Mount[],
  directory: string,
  execute: Execute = runProgram,
): Promise<void> {
  mkdirSync(directory, { recursive: true });
  for (const { type, source, target, options } of mounts) {
    const place = join(directory, target);
    const isBind = options.includes('rbind') || options.includes('bind');
    const { from, shortened } = shortenLayers(options);
    const joined = shortened.join(',');
    await mustRun(
      execute,
      'mount',
      isBind ? ['-o', joined, source, place] : ['-t', type, '-o', joined, source, place],
      from,
    );
    // The kernel takes "ro" of a bind only in a second step (mount(2), MS_REMOUNT|MS_BIND).
    if (isBind && options.includes('ro'))
      await mustRun(execute, 'mount', ['-o', 'remount,bind,ro', place]);
  }
}

/** Takes the mounts at a directory away again. */
export async function unmountSnapshot(
  directory: string,
  execute: Execute = runProgram,
): Promise<void> {
  await mustRun(execute, 'umount', ['--recursive', directory]);
}

/** mount(2) takes its data in one page, and the last byte of it is a zero. */
const MOUNT_DATA_MAX = 4095;
const LAYERS = 'lowerdir=';

/**
 * Where the layers of an overlay do not fit, they are named from the directory that they share, as
 * containerd does it, which returns them at any length.
 */
function shortenLayers(options: readonly string[]): {
  from?: string;
  shortened: readonly string[];
} {
  const layers = options.find((option) => option.startsWith(LAYERS))?.slice(LAYERS.length);
  if (layers === undefined || Buffer.byteLength(options.join(',')) <= MOUNT_DATA_MAX) {
    return { shortened: options };
  }
  const paths = layers.split(':').map((path) => path.split('/'));
  const [first = []] = paths;
  const isShared = (depth: number): boolean => paths.every((path) => path[depth] === first[depth]);
  let depth = 0;
  while (depth < first.length - 1 && isShared(depth)) depth += 1;
  const relative = paths.map((path) => path.slice(depth).join('/')).join(':');
  return {
    from: first.slice(0, depth).join('/'),
    shortened: options.map((each) => (each.startsWith(LAYERS) ? LAYERS + relative : each)),
  };
}

async function mustRun(
  execute: Execute,
  program: string,
  args: string[],
  from?: string,
): Promise<void> {
  const inDirectory = ['-c', 'cd "$1" && shift && exec "$@"', 'sh', from ?? '', program, ...args];
  const { code, stderr } =
    from === undefined ? await execute(program, args) : await execute('sh', inDirectory);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr.trim()}`);
}
