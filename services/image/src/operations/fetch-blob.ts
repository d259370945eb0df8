import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { BlobSink } from '@teu/registry';
import { openClient } from '../registry/open-client.js';
import { fromAny } from '../registry/remote-image.js';
import type { ImageParts } from './image-parts.js';

/** A blob to be had once more. */
export interface LostBlob {
  digest: string;
  /** Bytes. */
  size: number;
}

/**
 * Brings one blob back from where an image with it was pulled from or pushed to, into a new file, synced and verified.
 * It has no credentials to say: they come with requests and are never kept, so of private repositories it gets nothing.
 * @returns false if nobody is known to have it, or nobody gives it
 */
export async function fetchBlob(
  { origins, registry: options, log }: Pick<ImageParts, 'origins' | 'registry' | 'log'>,
  blob: LostBlob,
  path: string,
  signal: AbortSignal,
): Promise<boolean> {
  const places = origins.ofBlob(blob.digest);
  if (places.length === 0) return false;
  const client = openClient(options, []);
  const file = await open(path, 'wx+', 0o600);
  try {
    const hosts = places.flatMap(({ registry, repository }) =>
      client.sources(registry, repository),
    );
    const sink = plainSink(file);
    await fromAny(hosts, signal, (host) => host.readBlob(blob, sink, signal));
    await file.datasync();
    return true;
  } catch (error) {
    signal.throwIfAborted();
    log.warn({ err: error, digest: blob.digest }, 'a blob cannot be had once more');
    return false;
  } finally {
    await file.close();
    client.close();
  }
}

function plainSink(file: Awaited<ReturnType<typeof open>>): BlobSink {
  let size = 0;
  let hash = createHash('sha256');
  return {
    get size() {
      return size;
    },
    write: async (chunk) => {
      hash.update(chunk);
      for (let done = 0; done < chunk.length;) {
        const { bytesWritten } = await file.write(chunk, done, chunk.length - done, size);
        done += bytesWritten;
        size += bytesWritten;
      }
    },
    restart: async () => {
      size = 0;
      hash = createHash('sha256');
      await file.truncate(0);
    },
    digest: () => `sha256:${hash.copy().digest('hex')}`,
  };
}
