import { execFile } from 'node:child_process';
import { teuError } from '@teu/errors';
import { syncFilesystem } from '@teu/snapshots';

const SETPRIV_PROGRAM = '/usr/bin/setpriv';
const COPY_PROGRAM = '/usr/bin/cp';
/** A disk's worth of data takes its time; a disk that hangs must not hold a caller for ever. */
const TIME_LIMIT_MS = 60 * 60_000;

/**
 * cp(1) of coreutils 8.x or later. Not --archive: that one says nothing when attributes cannot be
 * kept, because the disk is full for example. Holes are made for all zeros, so that a file that was
 * written in full by an unpacker costs no more in the copy.
 */
const COPY_OPTIONS = [
  '--recursive',
  '--no-dereference',
  '--one-file-system',
  '--no-target-directory',
  '--preserve=mode,ownership,timestamps,links,xattr',
  '--reflink=auto',
  '--sparse=always',
];

/** How cp words errors of the disk in the C locale (strerror(3) of glibc and musl). */
const DISK_ERRORS: readonly (readonly [words: string, code: string])[] = [
  ['No space left on device', 'ENOSPC'],
  ['Disk quota exceeded', 'EDQUOT'],
  ['Quota exceeded', 'EDQUOT'],
  ['Read-only file system', 'EROFS'],
  ['Input/output error', 'EIO'],
  ['I/O error', 'EIO'],
];

/**
 * Copies a tree with all that makes it a layer: owners, modes, times, hard links, device nodes,
 * extended attributes and ACLs. The copy is durable when this resolves. Where the file system can
 * share blocks between files, it does.
 *
 * cp dies with this process: what it would go on to write, nobody would ever look at.
 *
 * @param target - Must not exist.
 * @throws Error with the code of the system call for one of the disk (see `diskError`), STORAGE_FAILED,
 *   UNAVAILABLE if it was cancelled; a part of the copy may be there then
 */
export async function copyTree(source: string, target: string, signal: AbortSignal): Promise<void> {
  const args = ['--pdeathsig', 'KILL', COPY_PROGRAM, ...COPY_OPTIONS, '--', source, target];
  await runCopy(args, signal);
  await syncFilesystem(
    target,
    'the copy of the parent could not be made durable; nothing was changed',
  );
}

function runCopy(args: readonly string[], signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const options = {
      env: { LC_ALL: 'C' },
      cwd: '/',
      timeout: TIME_LIMIT_MS,
      killSignal: 'SIGKILL',
      signal,
    } as const;
    const child = execFile(SETPRIV_PROGRAM, args, options, (error, _stdout, stderr) => {
      if (error === null) resolve();
      else reject(copyError(error, stderr, signal.aborted));
    });
    // cp would go on with the next file; one that is missing is enough to give the copy up. It writes
    // a message in pieces, so the end of the line is waited for.
    child.stderr?.on('data', (text: string) => {
      if (text.includes('\n')) child.kill('SIGKILL');
    });
  });
}

function copyError(cause: Error, stderr: string, isStopping: boolean): Error {
  if (isStopping) return teuError('UNAVAILABLE', 'the storage driver is stopping', { cause });
  const [first = ''] = stderr.split('\n');
  const known = DISK_ERRORS.find(([words]) => first.endsWith(words));
  if (known !== undefined) return Object.assign(new Error(first, { cause }), { code: known[1] });
  const said = new Error(first === '' ? 'cp was ended' : first, { cause });
  const text = 'the parent of the snapshot could not be copied; nothing was changed';
  return teuError('STORAGE_FAILED', text, { cause: said });
}
