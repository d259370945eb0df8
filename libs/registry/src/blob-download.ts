import type { Endpoint, EndpointRequest } from './endpoint.js';
import { bodyChunks } from './read-body.js';
import { connectionError, registryError, type Where } from './registry-error.js';
import { adviseRetry, withRetries, type Retries, type RetryPolicy } from './retry.js';
import type { HttpResponse } from './transport.js';

/** Where a blob goes to. */
export interface BlobSink {
  /** Bytes that are there, in order from the first. */
  readonly size: number;
  /** Adds to them. */
  write(chunk: Uint8Array): Promise<void>;
  /** Throws away what is there. */
  restart(): Promise<void>;
  /** Digest of all that is there. */
  digest(): string;
}

interface DownloadContext {
  signal: AbortSignal;
  retry: RetryPolicy;
  retries: Retries;
}

const STEP = 'downloading a blob';

/**
 * Brings a blob into a sink, from where that is: after a broken connection only what is missing is asked for, and taken
 * only if the registry says that it is that. More bytes than announced are not read. A blob that is not what its digest
 * says is brought once more from its beginning.
 * @throws DIGEST_MISMATCH, and the errors of Endpoint.send
 */
export async function readBlob(
  endpoint: Endpoint,
  repository: { name: string; scope(actions: 'pull'): string },
  blob: { digest: string; size: number },
  sink: BlobSink,
  { signal, retry, retries }: DownloadContext,
): Promise<void> {
  const where = endpoint.where(repository.name, STEP);
  const request: EndpointRequest = {
    method: 'GET',
    target: `/v2/${repository.name}/blobs/${blob.digest}`,
    headers: { 'accept-encoding': 'identity' },
    ...{ repository: repository.name, scopes: [repository.scope('pull')], step: STEP, signal },
    expected: [200, 206, 416],
  };
  for (let mismatches = 0; ; mismatches += 1) {
    const again = { ...retries, progress: () => sink.size };
    await withRetries(retry, signal, () => readRest(endpoint, request, blob, sink, where), again);
    const actual = sink.digest();
    if (actual === blob.digest) return;
    await sink.restart();
    if (mismatches > 0) {
      throw registryError('DIGEST_MISMATCH', where, `expected ${blob.digest}, got ${actual}`, {
        metadata: { expected: blob.digest, actual },
      });
    }
  }
}

async function readRest(
  endpoint: Endpoint,
  request: EndpointRequest,
  { size }: { size: number },
  sink: BlobSink,
  where: Where,
): Promise<void> {
  if (sink.size > size) await sink.restart();
  if (sink.size === size && size > 0) return;
  const range = sink.size === 0 ? {} : { range: `bytes=${sink.size}-` };
  const response = await endpoint.send({ ...request, headers: { ...request.headers, ...range } });
  try {
    if (!continues(response, sink.size, size)) {
      if (sink.size > 0) await sink.restart();
      if (response.status !== 200) {
        throw adviseRetry(registryError('REGISTRY_FAILED', where, 'it answers another range'));
      }
    }
    requireLength(response, size - sink.size, where);
    for await (const chunk of bodyChunks(response, endpoint.patience.stallMs)) {
      if (sink.size + chunk.length > size) {
        throw registryError('REGISTRY_FAILED', where, `it sends more than the ${size} bytes`);
      }
      await sink.write(chunk);
    }
    if (sink.size < size) {
      const what = `it ends after ${sink.size} of ${size} bytes`;
      throw adviseRetry(registryError('REGISTRY_UNAVAILABLE', where, what));
    }
  } catch (error) {
    request.signal.throwIfAborted();
    throw connectionError(where, error);
  } finally {
    response.body.destroy();
  }
}

/** Whether an answer goes on exactly where we are. */
function continues({ status, headers }: HttpResponse, from: number, size: number): boolean {
  if (from === 0) return status === 200;
  return status === 206 && headers['content-range'] === `bytes ${from}-${size - 1}/${size}`;
}

function requireLength({ headers }: HttpResponse, expected: number, where: Where): void {
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') {
    throw registryError('REGISTRY_FAILED', where, 'it encodes what was asked for as it is');
  }
  const announced = headers['content-length'];
  if (announced === undefined || Number(announced) === expected) return;
  const what = `it announces ${announced} bytes where there are ${expected}`;
  throw registryError('REGISTRY_FAILED', where, what);
}
