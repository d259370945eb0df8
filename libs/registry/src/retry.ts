import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

/** How often and how patiently something is tried again. */
export interface RetryPolicy {
  /** Tries in all without any progress between them. */
  attempts: number;
  /** Before the second try; doubled at each after it, and spread at random between its half and itself. */
  firstDelayMs: number;
  /** The longest wait, also when the registry asks for a longer one. */
  maxDelayMs: number;
}

export const DEFAULT_RETRY: RetryPolicy = { attempts: 5, firstDelayMs: 500, maxDelayMs: 30_000 };

const advice = new WeakMap<Error, { afterMs: number | undefined }>();

/** Marks an error as one after which the same may be tried again. */
export function adviseRetry(error: Error, afterMs?: number): Error {
  advice.set(error, { afterMs });
  return error;
}

/** Whether an error is marked so. */
export function isRetryAdvised(error: unknown): boolean {
  return error instanceof Error && advice.has(error);
}

/** Reads a Retry-After header (RFC 9110, 10.2.3), in milliseconds from now. */
export function retryAfterMs(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000;
  const date = new Date(header).getTime();
  return Number.isNaN(date) ? undefined : Math.max(0, date - new Date().getTime());
}

/** What one who tries again may say about it. */
export interface Retries {
  /** Called before each wait. */
  onRetry?: ((error: Error, waitMs: number) => void) | undefined;
  /** Bytes so far; what has grown by a good piece since the last failure begins to count anew. */
  progress?: (() => number) | undefined;
}

const GOOD_PIECE_BYTES = 1024 * 1024;

/** Does something, and again after errors that advise it. @throws the last error */
export async function withRetries<T>(
  policy: RetryPolicy,
  signal: AbortSignal,
  work: () => Promise<T>,
  { onRetry, progress = () => 0 }: Retries = {},
): Promise<T> {
  let failures = 0;
  let before = progress();
  for (;;) {
    signal.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      const hint = error instanceof Error ? advice.get(error) : undefined;
      if (signal.aborted || hint === undefined || !(error instanceof Error)) throw error;
      if (progress() - before >= GOOD_PIECE_BYTES) failures = 0;
      before = progress();
      failures += 1;
      if (failures >= policy.attempts) throw error;
      const waitMs = waitOf(policy, failures, hint.afterMs);
      onRetry?.(error, waitMs);
      await delay(waitMs, undefined, { signal }).catch(() => {
        signal.throwIfAborted();
      });
    }
  }
}

function waitOf(policy: RetryPolicy, failures: number, askedMs: number | undefined): number {
  const full = Math.min(policy.maxDelayMs, policy.firstDelayMs * 2 ** (failures - 1));
  const own = Math.round(full / 2) + randomInt(Math.max(1, Math.round(full / 2)));
  return Math.min(policy.maxDelayMs, Math.max(own, askedMs ?? 0));
}
