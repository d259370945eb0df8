import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Files of one machine on this host. */
export interface RunDirectory {
  readonly path: string;
  /** What the machine sees, and writes to, as /run/lab. */
  readonly shared: string;
  /** Where what the machine sees of this host is mounted, in another mount namespace. */
  readonly view: string;
  /** Twice is no error. */
  remove(): void;
}

/**
 * Makes a directory that goes with this process, also when that is killed: a process that waits for its end
 * removes it then.
 */
export function makeRunDirectory(): RunDirectory {
  const path = mkdtempSync(join(tmpdir(), 'teu-lab-'));
  const heir = spawn('sh', ['-c', 'cat >/dev/null; rm -rf "$1"', 'sh', path], {
    // Its standard input ends with this process. What is sent to the terminal's group is not for it.
    stdio: ['pipe', 'ignore', 'ignore'],
    cwd: '/',
    detached: true,
  });
  heir.unref();
  const shared = join(path, 'shared');
  const view = join(path, 'view');
  mkdirSync(shared);
  mkdirSync(view);
  return {
    path,
    shared,
    view,
    remove: () => {
      rmSync(path, { recursive: true, force: true });
      heir.stdin.end();
    },
  };
}
