import { execFile } from 'node:child_process';
import { UnionError } from './union-backend.js';

const TIME_LIMIT_MS = 20_000;
/** Exit statuses of mount(8) and umount(8). */
const FAILED = 32;

/**
 * Runs mount(8) or umount(8) without their helpers, which are other programs, and without following
 * links, which would ask a file system that may not answer.
 *
 * mount(8) of util-linux 2.39 and later sets options one by one, each of at most 256 bytes (fsconfig(2)),
 * which is too short for branches; it is told to use mount(2).
 *
 * @throws UnionError "EBUSY" if the kernel says so, "ETIMEDOUT", or "EIO" with what the program said
 */
export function runMountProgram(
  program: 'mount' | 'umount',
  args: readonly string[],
): Promise<void> {
  const options = {
    env: { LC_ALL: 'C', LIBMOUNT_FORCE_MOUNT2: 'always' },
    cwd: '/',
    timeout: TIME_LIMIT_MS,
    killSignal: 'SIGKILL' as const,
  };
  const words = ['--no-canonicalize', '--internal-only', ...args];
  return new Promise((resolve, reject) => {
    execFile(`/usr/bin/${program}`, words, options, (error, _stdout, stderr) => {
      if (error === null) resolve();
      else if (error.killed === true) reject(new UnionError('ETIMEDOUT', program));
      else if (error.code === FAILED && /\bbusy\b/.test(stderr)) {
        reject(new UnionError('EBUSY', program, { cause: stderr }));
      } else reject(new UnionError('EIO', program, { cause: `${error.message}: ${stderr}` }));
    });
  });
}
