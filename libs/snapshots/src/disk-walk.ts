import { lstatSync, readdirSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { DiskUsage } from './driver.js';

/** Entries looked at before others get a turn: about a millisecond. */
const ENTRIES_PER_TURN = 256;
/** st_blocks counts in these units whatever the file system (stat(2)). */
export const BLOCK_BYTES = 512;

/**
 * Adds up the blocks and inodes of a directory and all in it, without crossing into other file
 * systems. What vanishes meanwhile is left out; a file with several names counts once.
 *
 * @param root - Directory; none is no error and counts nothing.
 */
export async function walkUsage(root: string, signal?: AbortSignal): Promise<DiskUsage> {
  const seen = new Set<string>();
  const top = statIfThere(root);
  if (top === undefined) return { bytes: 0, inodes: 0 };
  let bytes = top.blocks * BLOCK_BYTES;
  let inodes = 1;
  let visited = 0;
  const directories = [root];
  for (let directory = directories.pop(); directory !== undefined; directory = directories.pop()) {
    for (const name of namesIfThere(directory)) {
      if (++visited % ENTRIES_PER_TURN === 0) {
        await setImmediate();
        signal?.throwIfAborted();
      }
      const path = join(directory, name);
      const stat = statIfThere(path);
      if (stat === undefined || stat.dev !== top.dev) continue;
      if (stat.isDirectory()) directories.push(path);
      else if (stat.nlink > 1 && !isFirstName(seen, stat)) continue;
      bytes += stat.blocks * BLOCK_BYTES;
      inodes += 1;
    }
  }
  return { bytes, inodes };
}

function isFirstName(seen: Set<string>, stat: Stats): boolean {
  const inode = String(stat.ino);
  if (seen.has(inode)) return false;
  seen.add(inode);
  return true;
}

function statIfThere(path: string): Stats | undefined {
  return ifThere(() => lstatSync(path));
}

function namesIfThere(path: string): string[] {
  return ifThere(() => readdirSync(path)) ?? [];
}

function ifThere<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    // A container can nest directories deeper than a path can say; those are not counted.
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG') return undefined;
    throw error;
  }
}
