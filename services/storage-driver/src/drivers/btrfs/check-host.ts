import { teuError } from '@teu/errors';
import { filesystemName } from '@teu/snapshots';
import { statfsSync } from 'node:fs';

/**
 * Checks that a directory is on btrfs.
 *
 * @param root - Data directory of the driver; it exists.
 * @throws DRIVER_UNSUPPORTED naming the file system that is there instead
 */
export function checkFilesystem(root: string): void {
  const filesystem = filesystemName(statfsSync(root).type);
  if (filesystem === 'btrfs') return;
  throw unsupported(`the data directory is on ${filesystem} and has to be on btrfs`);
}

/** @param why - What is in the way, to follow a colon. */
export function unsupported(why: string, cause?: unknown): Error {
  return teuError('DRIVER_UNSUPPORTED', `storage driver btrfs cannot run here: ${why}`, {
    metadata: { driver: 'btrfs' },
    cause,
  });
}
