import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { release } from 'node:os';
import { join } from 'node:path';
import { teuError } from '@teu/errors';
import { filesystemName } from '@teu/snapshots';

/** overlay keeps opaque marks when it copies up since Linux 4.8; metacopy=off is known since 4.19. */
const MINIMUM_KERNEL = [4, 19] as const;
/** File systems that overlay cannot write its marks to (an overlay itself, network ones, FAT). */
const UNSUITABLE = new Set(['overlay', 'nfs', 'cifs', 'msdos', 'fuse', 'aufs', '9p']);
/** Long enough for a thread to list a directory with one file. */
const LISTING_MS = 5;
/** Characters that divide the options of an overlay mount (mount(8), "lowerdir"). */
const UNSUITABLE_PATH = /[:,\\\s]/;

/**
 * Checks that overlay2 can work here.
 *
 * @param root - Data directory of the driver; it exists.
 * @returns Name of the file system below.
 * @throws DRIVER_UNSUPPORTED saying what is missing and what to do
 */
export async function checkHost(root: string): Promise<string> {
  checkKernel(release());
  checkOverlayKnown(readFileSync('/proc/filesystems', 'utf8'));
  if (UNSUITABLE_PATH.test(root)) {
    throw unsupported('the data directory has a colon, comma, backslash or blank in its path');
  }
  const filesystem = filesystemName(statfsSync(root).type);
  if (UNSUITABLE.has(filesystem)) {
    throw unsupported(`the data directory is on ${filesystem}, which overlay cannot stand on`);
  }
  await checkDirectoryTypes(root, filesystem);
  return filesystem;
}

/** @throws DRIVER_UNSUPPORTED if the kernel is too old */
export function checkKernel(version: string): void {
  const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  const [wantedMajor, wantedMinor] = MINIMUM_KERNEL;
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)) return;
  throw unsupported(`Linux ${version} is older than ${MINIMUM_KERNEL.join('.')}`);
}

/** @throws DRIVER_UNSUPPORTED if the kernel has no overlay file system loaded or built in */
export function checkOverlayKnown(filesystems: string): void {
  if (/\boverlay$/m.test(filesystems)) return;
  throw unsupported('the kernel does not know the overlay file system (try: modprobe overlay)');
}

/**
 * overlay needs the type of a file in its directory entry (d_type), which XFS without ftype lacks.
 * Node hides what the directory says by asking lstat when it says nothing. So the file goes away
 * after the directory was read and before Node looks at the answer: if Node then misses it, the
 * directory did not say.
 */
async function checkDirectoryTypes(root: string, filesystem: string): Promise<void> {
  const probe = mkdtempSync(join(root, '.probe-'));
  const file = join(probe, 'file');
  try {
    for (let read = false; !read;) {
      closeSync(openSync(file, 'w'));
      const listing = readdir(probe, { withFileTypes: true });
      // The read happens in another thread while this one is stopped.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LISTING_MS);
      rmSync(file);
      read = (await listing).length === 1;
    }
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
    throw unsupported(`${filesystem} here does not tell file types in directories (xfs: ftype=1)`);
  } finally {
    rmSync(probe, { recursive: true, force: true });
  }
}

function unsupported(why: string): Error {
  return teuError('DRIVER_UNSUPPORTED', `storage driver overlay2 cannot run here: ${why}`, {
    metadata: { driver: 'overlay2' },
  });
}
