import { teuError } from '@teu/errors';

/**
 * Gives a promise a deadline.
 * @param late what to do with a result that comes after all
 * @throws DEADLINE_EXCEEDED when the time is over; the work goes on
 */
export async function within<T>(
  timeoutMs: number,
  work: Promise<T>,
  late: (result: T) => void = () => undefined,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      isOver = true;
      reject(teuError('DEADLINE_EXCEEDED', `no answer within ${timeoutMs} ms`));
    }, timeoutMs);
  });
  work.then(
    (result) => {
      if (isOver) late(result);
    },
    () => undefined,
  );
  try {
    return await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits until the promise resolves or the time is over, whichever comes first. @returns whether it resolved. */
export async function settlesWithin(timeoutMs: number, work: Promise<unknown>): Promise<boolean> {
  try {
    await within(timeoutMs, work);
    return true;
  } catch {
    return false;
  }
}
