import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { promisify } from 'node:util';

const REMOVE_PROGRAM = '/usr/bin/rm';
const run = promisify(execFile);

/**
 * Deletes a directory and all in it; none is no error. Symbolic links are deleted, never followed.
 *
 * Node names every file by its whole path, and a container can nest directories deeper than
 * PATH_MAX; such a tree is left to rm(1), which walks by directory handles.
 */
export async function deleteTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch {
    await run(REMOVE_PROGRAM, ['-rf', '--one-file-system', '--', path], { env: {}, cwd: '/' });
  }
}
