import type { WatchImagesRequest, WatchImagesResponse } from '@teu/proto/image';
import type { CallContext } from '@teu/rpc';
import type { ImageWatch } from '../domain/image-watchers.js';
import type { ImageParts } from '../operations/image-parts.js';

export function watchImagesHandler({ watchers }: Pick<ImageParts, 'watchers'>) {
  return async function* (
    requests: AsyncIterable<WatchImagesRequest>,
    { signal }: CallContext,
  ): AsyncGenerator<WatchImagesResponse, void, undefined> {
    const watch = watchers.open();
    signal.addEventListener('abort', () => watch.close(), { once: true });
    const failures: Error[] = [];
    try {
      void readAcknowledgements(requests, watch, failures);
      yield { number: 0, snapshots: [] };
      for await (const { number, snapshots } of watch.changes()) {
        yield { number, snapshots: [...snapshots] };
      }
      const [failure] = failures;
      if (failure !== undefined) throw failure;
    } finally {
      watch.close();
    }
  };
}

/** A watcher that says no more, or breaks off, is one that does not watch. */
async function readAcknowledgements(
  requests: AsyncIterable<WatchImagesRequest>,
  watch: ImageWatch,
  failures: Error[],
): Promise<void> {
  try {
    for await (const { acknowledgedNumber } of requests) watch.acknowledge(acknowledgedNumber);
  } catch (error) {
    failures.push(error as Error);
  } finally {
    watch.close();
  }
}
