import { parseNumber } from '../domain/keyed-file.js';
import { isErrno, readGroupFile, writeGroupFile } from './group-files.js';

/**
 * Frees memory of a version 2 group until not more than a limit is in use, as far as that can be: by
 * memory.reclaim (Linux 5.19; without it nothing is freed). Writing memory.max would free as much, but kill
 * processes where that is not enough, which version 1 does not do.
 *
 * @param limit - Bytes.
 * @returns Whether what is in use fits now. The group may grow again at any time.
 */
export function reclaimMemory(group: string, limit: number): boolean {
  const excess = (): number => parseNumber(readGroupFile(`${group}/memory.current`)) - limit;
  const bytes = excess();
  if (bytes <= 0) return true;
  try {
    writeGroupFile(`${group}/memory.reclaim`, String(bytes));
  } catch (error) {
    // EAGAIN: it was less than that.
    if (!isErrno(error, 'EAGAIN', 'ENOENT')) throw error;
  }
  return excess() <= 0;
}
