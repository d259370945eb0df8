import { parseNumber } from '../../domain/keyed-file.js';
import { isErrno, readGroupFile, writeGroupFile } from '../group-files.js';
import { slowWrite } from '../slow-write.js';

/** A group that goes on reading files fills up again what was freed; it is done so many times at most. */
const ROUNDS = 5;
/** What may be left of it, or come anew, in the end: freed in a millisecond. */
const LITTLE_BYTES = 4 << 20;

/**
 * Frees memory of a version 2 group until not more than a limit is in use, as far as that can be: by
 * memory.reclaim (Linux 5.19; without it nothing is freed). Writing memory.max would free as much, but kill
 * processes where that is not enough, which version 1 does not do.
 *
 * @param limit - Bytes.
 * @returns Whether what is in use fits now. The group may grow again at any time.
 */
export function reclaimMemory(group: string, limit: number): boolean {
  const bytes = excessOf(group, limit);
  if (bytes <= 0) return true;
  try {
    writeGroupFile(`${group}/memory.reclaim`, String(bytes));
  } catch (error) {
    unlessLess(error);
  }
  return excessOf(group, limit) <= 0;
}

/**
 * Does the same while others are answered. What is left then, or has come anew, is little.
 *
 * @returns Whether what is in use fits nearly.
 * @throws the signal's reason
 */
export async function reclaimSlowly(
  group: string,
  limit: number,
  signal: AbortSignal,
): Promise<boolean> {
  for (let round = 0; round < ROUNDS; round += 1) {
    const bytes = excessOf(group, limit);
    if (bytes <= 0) return true;
    try {
      await slowWrite(`${group}/memory.reclaim`, String(bytes), signal);
    } catch (error) {
      unlessLess(error);
      break;
    }
  }
  return excessOf(group, limit) <= LITTLE_BYTES;
}

/** Bytes in use beyond a limit. */
function excessOf(group: string, limit: number): number {
  return parseNumber(readGroupFile(`${group}/memory.current`)) - limit;
}

/** EAGAIN: less could be freed than was asked for. */
function unlessLess(error: unknown): void {
  if (!isErrno(error, 'EAGAIN', 'ENOENT')) throw error;
}
