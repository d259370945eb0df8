import { createHash } from 'node:crypto';
import { readBlob, type BlobSink } from './blob-download.js';
import { uploadBlob, type BlobSource, type UploadProgress } from './blob-upload.js';
import type { Endpoint } from './endpoint.js';
import { listReferrers, listTags, type ReferrersAnswer, type TagPage } from './listings.js';
import { readAtMost } from './read-body.js';
import { connectionError, registryError } from './registry-error.js';
import { withRetries, type Retries, type RetryPolicy } from './retry.js';

/** Media types of manifests and indexes, of OCI and docker; the first is told to registries as preferred. */
export const MANIFEST_TYPES = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
] as const;

/** A manifest or index as a registry gives it. */
export interface RemoteDocument {
  bytes: Buffer;
  digest: string;
  /** As its header says, which is checked by whoever reads it. */
  mediaType: string;
}

/** What a tag or digest means, without its content. */
export interface RemoteHead {
  /** Undefined if the registry does not say. */
  digest: string | undefined;
  mediaType: string;
  /** Bytes; undefined if the registry does not say. */
  size: number | undefined;
}

const MANIFEST_BYTES_MAX = 4 * 1024 * 1024;
const SHA256 = /^sha256:[0-9a-f]{64}$/;

/** One repository at one host: the verbs of the distribution specification. */
export class Repository {
  readonly host: string;
  readonly name: string;
  readonly #endpoint: Endpoint;
  readonly #retry: RetryPolicy;

  constructor(endpoint: Endpoint, name: string, retry: RetryPolicy) {
    this.host = endpoint.registry;
    this.name = name;
    this.#endpoint = endpoint;
    this.#retry = retry;
  }

  /** What a tag or digest means (end-3). @throws IMAGE_NOT_FOUND and the errors of Endpoint.send */
  async headManifest(reference: string, signal: AbortSignal): Promise<RemoteHead> {
    return withRetries(this.#retry, signal, async () => {
      const response = await this.#endpoint.send(this.#manifestRequest('HEAD', reference, signal));
      response.body.destroy();
      const { headers } = response;
      const digest = headerText(headers['docker-content-digest']);
      const size = Number(headers['content-length'] ?? NaN);
      return {
        digest: digest !== undefined && SHA256.test(digest) ? digest : undefined,
        mediaType: mediaTypeOf(headers['content-type']),
        size: Number.isSafeInteger(size) ? size : undefined,
      };
    });
  }

  /**
   * Reads a manifest or index (end-3); by a digest it must have that digest.
   * @throws DIGEST_MISMATCH, IMAGE_INVALID if it exceeds 4 MiB, and those of headManifest
   */
  async getManifest(reference: string, signal: AbortSignal): Promise<RemoteDocument> {
    return withRetries(this.#retry, signal, async () => {
      const request = this.#manifestRequest('GET', reference, signal);
      const response = await this.#endpoint.send(request);
      const bytes = await this.#document(response, 'the manifest', request.step, signal);
      const digest = digestOf(bytes);
      if (reference.startsWith('sha256:')) this.#requireDigest(reference, digest, request.step);
      return { bytes, digest, mediaType: mediaTypeOf(response.headers['content-type']) };
    });
  }

  /** Reads a small blob whole, a config. @throws as getManifest */
  async getSmallBlob(digest: string, signal: AbortSignal): Promise<Buffer> {
    return withRetries(this.#retry, signal, async () => {
      const step = 'reading the config';
      const response = await this.#endpoint.send({
        method: 'GET',
        target: `/v2/${this.name}/blobs/${digest}`,
        headers: { 'accept-encoding': 'identity' },
        ...{ repository: this.name, scopes: [this.scope('pull')], step, signal },
        expected: [200],
      });
      const bytes = await this.#document(response, 'the config', step, signal);
      this.#requireDigest(digest, digestOf(bytes), step);
      return bytes;
    });
  }

  /** Brings a blob (end-2); see blob-download.ts. */
  readBlob(
    blob: { digest: string; size: number },
    sink: BlobSink,
    signal: AbortSignal,
    retries: Retries = {},
  ): Promise<void> {
    return readBlob(this.#endpoint, this, blob, sink, {
      ...{ signal, retries, retry: this.#retry },
    });
  }

  /** Whether the repository has a blob (end-2). */
  async hasBlob(digest: string, signal: AbortSignal): Promise<boolean> {
    return withRetries(this.#retry, signal, async () => {
      const response = await this.#endpoint.send({
        method: 'HEAD',
        target: `/v2/${this.name}/blobs/${digest}`,
        ...{ repository: this.name, scopes: [this.scope('pull,push')], signal },
        step: 'looking for a blob',
        expected: [200, 404],
      });
      response.body.destroy();
      return response.status === 200;
    });
  }

  /** Sends a blob, or has it taken from another repository of the registry; see blob-upload.ts. */
  sendBlob(
    blob: BlobSource,
    mountFrom: readonly string[],
    progress: UploadProgress,
    signal: AbortSignal,
  ): Promise<'mounted' | 'sent'> {
    return uploadBlob(this.#endpoint, this, blob, mountFrom, progress, {
      ...{ signal, retry: this.#retry },
    });
  }

  /** Stores a manifest under a tag or its digest (end-7). */
  async putManifest(
    reference: string,
    mediaType: string,
    bytes: Uint8Array,
    signal: AbortSignal,
  ): Promise<void> {
    const step = 'storing the manifest';
    await withRetries(this.#retry, signal, async () => {
      const response = await this.#endpoint.send({
        method: 'PUT',
        target: `/v2/${this.name}/manifests/${reference}`,
        headers: { 'content-type': mediaType, 'content-length': String(bytes.length) },
        body: { size: bytes.length, read: () => [bytes] },
        ...{ repository: this.name, scopes: [this.scope('pull,push')], step, signal },
        expected: [201, 202],
      });
      response.body.destroy();
      const stored = headerText(response.headers['docker-content-digest']);
      if (stored !== undefined) this.#requireDigest(digestOf(bytes), stored, step);
    });
  }

  /** A page of tags (end-8). */
  listTags(count: number, after: string, signal: AbortSignal): Promise<TagPage> {
    return withRetries(this.#retry, signal, () => {
      return listTags(this.#endpoint, this, count, after, signal);
    });
  }

  /** What refers to a digest (end-12), also at registries that have only the tag of the fallback. */
  listReferrers(
    digest: string,
    artifactType: string,
    signal: AbortSignal,
  ): Promise<ReferrersAnswer> {
    return withRetries(this.#retry, signal, () => {
      return listReferrers(this.#endpoint, this, digest, artifactType, signal);
    });
  }

  /** What a token is asked for. */
  scope(actions: 'pull' | 'pull,push'): string {
    return `repository:${this.name}:${actions}`;
  }

  #manifestRequest(method: 'GET' | 'HEAD', reference: string, signal: AbortSignal) {
    return {
      method,
      target: `/v2/${this.name}/manifests/${reference}`,
      headers: { accept: MANIFEST_TYPES.join(', '), 'accept-encoding': 'identity' },
      repository: this.name,
      scopes: [this.scope('pull')],
      step: `reading the manifest ${reference}`,
      expected: [200],
      signal,
    };
  }

  async #document(
    response: Parameters<typeof readAtMost>[0],
    what: string,
    step: string,
    signal: AbortSignal,
  ): Promise<Buffer> {
    const where = this.#endpoint.where(this.name, step);
    try {
      const { stallMs } = this.#endpoint.patience;
      const bytes = await readAtMost(response, MANIFEST_BYTES_MAX, stallMs);
      if (bytes !== 'too long') return bytes;
    } catch (error) {
      signal.throwIfAborted();
      throw connectionError(where, error);
    }
    throw registryError('IMAGE_INVALID', where, `${what} exceeds ${MANIFEST_BYTES_MAX} bytes`);
  }

  #requireDigest(expected: string, actual: string, step: string): void {
    if (expected === actual) return;
    const where = this.#endpoint.where(this.name, step);
    throw registryError('DIGEST_MISMATCH', where, `expected ${expected}, got ${actual}`, {
      metadata: { expected, actual: actual.slice(0, 128) },
    });
  }
}

/** "sha256:…" of bytes in memory. */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function mediaTypeOf(header: string | undefined): string {
  return (header ?? '').split(';', 1)[0]?.trim().toLowerCase().slice(0, 255) ?? '';
}

function headerText(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
