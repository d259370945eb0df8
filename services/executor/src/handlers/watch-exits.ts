import type { WatchExitsRequest, WatchExitsResponse } from '@teu/proto/executor';
import type { CallContext } from '@teu/rpc';
import type { ExecutorParts } from '../domain/executor-parts.js';

export async function* handleWatchExits(
  parts: ExecutorParts,
  _request: WatchExitsRequest,
  { signal }: CallContext,
): AsyncGenerator<WatchExitsResponse, void, undefined> {
  const exits = parts.exits.watch(signal);
  yield { process: undefined };
  for await (const process of exits) yield { process };
}
