import { lstatSync, readdirSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import type { DiskUsage } from './driver.js';

/** Entries that are looked at on this thread: about a millisecond. */
const SMALL_ENTRIES = 256;
/** st_blocks counts in these units whatever the file system (stat(2)). */
export const BLOCK_BYTES = 512;

/**
 * Measures a tree of a few entries; see `measureTree`.
 *
 * @returns undefined if there are more, or one of its paths is too long to be said.
 */
export function walkSmall(root: string): DiskUsage | undefined {
  const seen = new Set<string>();
  const top = statIfThere(root);
  if (top === undefined) return { bytes: 0, inodes: 0 };
  let bytes = top.blocks * BLOCK_BYTES;
  let inodes = 1;
  let visited = 0;
  const directories = [root];
  try {
    for (let directory = directories.pop(); directory; directory = directories.pop()) {
      const names = namesIfThere(directory);
      visited += names.length;
      if (visited > SMALL_ENTRIES) return undefined;
      for (const name of names) {
        const path = join(directory, name);
        const stat = statIfThere(path);
        if (stat === undefined || stat.dev !== top.dev) continue;
        if (stat.isDirectory()) directories.push(path);
        else if (stat.nlink > 1 && !isFirstName(seen, stat)) continue;
        bytes += stat.blocks * BLOCK_BYTES;
        inodes += 1;
      }
    }
  } catch (error) {
    // A container can nest directories deeper than a path can say.
    if ((error as NodeJS.ErrnoException).code === 'ENAMETOOLONG') return undefined;
    throw error;
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
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}
