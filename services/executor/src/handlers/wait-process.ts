import type { WaitProcessRequest, WaitProcessResponse } from '@teu/proto/executor';
import type { CallContext } from '@teu/rpc';
import type { ExecutorParts } from '../domain/executor-parts.js';
import { findProcess } from './parse-process-id.js';

export async function handleWaitProcess(
  parts: ExecutorParts,
  request: WaitProcessRequest,
  { signal }: CallContext,
): Promise<WaitProcessResponse> {
  const entry = findProcess(parts, request);
  if (entry.exit !== undefined) return { exit: entry.exit };
  signal.throwIfAborted();
  const givenUp = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
  return { exit: await Promise.race([entry.ended, givenUp]) };
}
