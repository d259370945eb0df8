import { renameSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import type { Repository } from '@teu/registry';
import type { FetchBlob } from '../registry/downloads.js';
import { openClient } from '../registry/open-client.js';
import { fromAny } from '../registry/remote-image.js';
import type { BlobRow } from '../store/blob-store.js';
import type { BlobOrigins } from './blob-origins.js';
import type { ImageParts } from './image-parts.js';

type Parts = Pick<
  ImageParts,
  'downloadLimiter' | 'downloads' | 'images' | 'ingests' | 'log' | 'origins' | 'registry' | 'store'
>;

/**
 * Fetches blobs from the registries that their images were pulled from. Nobody is there to give credentials, so only what
 * may be read without comes back.
 */
export function registryOrigins(parts: Parts): BlobOrigins {
  return {
    fetch: async (blob, path, signal) => {
      for (const { registry, repository } of parts.origins.ofBlob(blob.digest)) {
        const client = openClient(parts.registry, []);
        try {
          await fetchFrom(parts, client.sources(registry, repository), blob, path, signal);
          return true;
        } catch (error) {
          signal.throwIfAborted();
          const fields = { err: error, registry, repository, digest: blob.digest };
          parts.log.warn(fields, 'a damaged blob could not be fetched from where it came');
        } finally {
          client.close();
        }
      }
      return false;
    },
  };
}

async function fetchFrom(
  parts: Parts,
  hosts: Repository[],
  blob: BlobRow,
  path: string,
  signal: AbortSignal,
): Promise<void> {
  const { digest } = blob;
  const isManifest = parts.images
    .usersOf(digest)
    .some((id) => parts.images.byId(id)?.manifestDigest === digest);
  if (isManifest) {
    const { bytes } = await fromAny(hosts, signal, (host) => host.getManifest(digest, signal));
    await writeFile(path, bytes, { mode: 0o600 });
    return;
  }
  const fetch: FetchBlob = (sink, ending, retries) =>
    parts.downloadLimiter.run(ending, () =>
      fromAny(hosts, ending, (host) => host.readBlob(blob, sink, ending, retries)),
    );
  const incoming = await parts.downloads.join({
    ...{ blob, fetch, signal },
    progress: () => undefined,
    retrying: () => undefined,
  });
  await incoming.done;
  renameSync(parts.ingests.path(digest), path);
  parts.store.transaction(() => parts.ingests.finish(digest));
}
