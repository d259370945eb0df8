import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { teuError } from '@teu/errors';

const SYNC_PROGRAM = '/usr/bin/sync';
const run = promisify(execFile);

/**
 * Writes everything of the file system that holds `path` to the disk: syncfs(2), with its error.
 * Node has no call for it, and fsync of thousands of files one by one takes longer; sync(1) of
 * coreutils (8.24 or later) makes the one call. Far from the start of a container, so a process is no
 * matter here.
 *
 * @param failure - Text of the error: what is not durable, and what became of it.
 * @throws STORAGE_FAILED if the disk did not take it; what was written may then be lost, and calling
 *   again proves nothing, because the kernel reports a lost page once
 */
export async function syncFilesystem(
  path: string,
  failure = 'the data of the snapshot could not be made durable; it stays active',
): Promise<void> {
  try {
    await run(SYNC_PROGRAM, ['--file-system', path], { env: {}, cwd: '/' });
  } catch (cause) {
    throw teuError('STORAGE_FAILED', failure, { cause });
  }
}
