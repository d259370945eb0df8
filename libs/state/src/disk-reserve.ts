import { closeSync, fsyncSync, openSync, rmSync, statfsSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

const RESERVE_BYTES = 1024 * 1024;
/** The reserve is taken again only if the disk has become this much emptier than the reserve is big. */
const REFILL_MARGIN = 16;

/**
 * A file that only takes up space, next to the database. Given back when the disk is full, so that
 * the rows of what an operator deletes to make room can still be deleted.
 */
export interface DiskReserve {
  /** Frees the space. */
  release: () => void;
  /** Takes the space again, if it was freed and the disk has room. Never throws. */
  refill: () => void;
}

/** Makes the reserve of a database file, and takes it if there is room. */
export function createDiskReserve(databasePath: string): DiskReserve {
  const path = `${databasePath}-reserve`;
  let held = sizeOf(path) === RESERVE_BYTES;
  const refill = (): void => {
    if (held || !hasRoom(dirname(path))) return;
    try {
      const fd = openSync(path, 'w', 0o600);
      try {
        writeSync(fd, Buffer.alloc(RESERVE_BYTES));
        fsyncSync(fd);
      } finally {
        closeSync(fd);
      }
      held = true;
    } catch {
      rmSync(path, { force: true });
    }
  };
  refill();
  return {
    release: () => {
      rmSync(path, { force: true });
      held = false;
    },
    refill,
  };
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function hasRoom(directory: string): boolean {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize > RESERVE_BYTES * REFILL_MARGIN;
}
