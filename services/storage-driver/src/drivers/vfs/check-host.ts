import { teuError } from '@teu/errors';
import { filesystemName, keepsAttributes } from '@teu/snapshots';
import { execFile } from 'node:child_process';
import { accessSync, constants, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const PROGRAMS = ['/usr/bin/cp', '/usr/bin/setpriv', '/usr/bin/sync'];
const PROBE_BYTES = 65_536;
const PROBE_TIME_LIMIT_MS = 10_000;
const run = promisify(execFile);

/** What the file system below can do for copies. */
export interface VfsHost {
  readonly filesystem: string;
  /** Whether files can share blocks (FICLONE of ioctl_ficlone(2)), so that a copy costs names only. */
  readonly sharesBlocks: boolean;
  /** Whether extended attributes of every kind are kept. */
  readonly keepsAttributes: boolean;
}

/**
 * Looks at what there is for vfs to work with.
 *
 * @param root - Data directory of the driver; it exists.
 * @throws DRIVER_UNSUPPORTED naming the program that is missing
 */
export async function checkVfsHost(root: string): Promise<VfsHost> {
  for (const program of PROGRAMS) checkProgram(program);
  return {
    filesystem: filesystemName(statfsSync(root).type),
    sharesBlocks: await canShareBlocks(root),
    keepsAttributes: await keepsAttributes(root),
  };
}

function checkProgram(program: string): void {
  try {
    accessSync(program, constants.X_OK);
  } catch (cause) {
    const text = `storage driver vfs cannot run here: there is no ${program}`;
    throw teuError('DRIVER_UNSUPPORTED', text, { metadata: { driver: 'vfs' }, cause });
  }
}

/** Tried for real: a file system of a kind that can may have been made without it (xfs, reflink=0). */
async function canShareBlocks(root: string): Promise<boolean> {
  const probe = mkdtempSync(join(root, '.probe-'));
  try {
    const [from, to] = [join(probe, 'from'), join(probe, 'to')];
    writeFileSync(from, Buffer.alloc(PROBE_BYTES, 1));
    const options = { env: { LC_ALL: 'C' }, cwd: '/', timeout: PROBE_TIME_LIMIT_MS };
    return await run('/usr/bin/cp', ['--reflink=always', '--', from, to], options).then(
      () => true,
      () => false,
    );
  } finally {
    rmSync(probe, { recursive: true, force: true });
  }
}
