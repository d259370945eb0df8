import { ZfsFailure } from './zfs-failure.js';

/**
 * Gives up waiting at a time limit; what is waited for may go on. For calls that a file system without
 * an answer holds up for as long as it likes.
 *
 * @throws ZfsFailure "timeout"
 */
export async function within<T>(timeoutMs: number, what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new ZfsFailure('timeout', `${what}: not done in ${timeoutMs} ms`));
    }, timeoutMs);
  });
  try {
    return await Promise.race([work, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
