import { createHash } from 'node:crypto';
import { locationOf, type Endpoint, type EndpointRequest } from './endpoint.js';
import { registryError, type Where } from './registry-error.js';
import { isRetryAdvised, withRetries, type RetryPolicy } from './retry.js';
import type { HttpResponse } from './transport.js';

/** A blob to be sent. */
export interface BlobSource {
  digest: string;
  /** Bytes. */
  size: number;
  /** Its bytes from an offset on. */
  read(from: number): AsyncIterable<Uint8Array>;
}

/** Told how an upload goes. */
export interface UploadProgress {
  /** Bytes at the registry, and bytes sent in all tries together. */
  sent(current: number, total: number): void;
  retrying(error: Error, waitMs: number): void;
}

interface UploadContext {
  signal: AbortSignal;
  retry: RetryPolicy;
}

interface Target {
  name: string;
  scope(actions: 'pull,push'): string;
}

const STEP = 'uploading a blob';

/**
 * Sends a blob. The registry is first asked to take it from one of its own repositories (end-11). What was sent before a
 * broken connection is not sent again if the registry knows how much it has (end-13). The bytes are hashed on the way:
 * a blob that the disk has changed never becomes a blob at the registry.
 * @throws DIGEST_MISMATCH, and the errors of Endpoint.send
 */
export async function uploadBlob(
  endpoint: Endpoint,
  target: Target,
  blob: BlobSource,
  mountFrom: readonly string[],
  progress: UploadProgress,
  { signal, retry }: UploadContext,
): Promise<'mounted' | 'sent'> {
  const upload = new Upload(endpoint, target, blob, progress, signal);
  const onRetry = (error: Error, waitMs: number): void => progress.retrying(error, waitMs);
  const retries = { onRetry, progress: () => upload.stored };
  return withRetries(retry, signal, () => upload.run(mountFrom), retries);
}

class Upload {
  readonly #endpoint: Endpoint;
  readonly #target: Target;
  readonly #blob: BlobSource;
  readonly #progress: UploadProgress;
  readonly #signal: AbortSignal;
  readonly #where: Where;
  /** Where the next piece goes; undefined before an upload has begun. */
  #location: URL | undefined;
  #transferred = 0;
  /** Bytes that the registry has. */
  stored = 0;

  constructor(
    endpoint: Endpoint,
    target: Target,
    blob: BlobSource,
    progress: UploadProgress,
    signal: AbortSignal,
  ) {
    this.#endpoint = endpoint;
    this.#target = target;
    this.#blob = blob;
    this.#progress = progress;
    this.#signal = signal;
    this.#where = endpoint.where(target.name, STEP);
  }

  async run(mountFrom: readonly string[]): Promise<'mounted' | 'sent'> {
    if (this.#location === undefined) {
      if ((await this.#begin(mountFrom)) === 'mounted') return 'mounted';
    } else if (!(await this.#askWhatIsThere())) {
      await this.#begin([]);
    }
    if (this.stored < this.#blob.size) await this.#sendRest();
    await this.#finish();
    return 'sent';
  }

  async #begin(mountFrom: readonly string[]): Promise<'mounted' | 'begun'> {
    this.#location = undefined;
    this.stored = 0;
    const base = `/v2/${this.#target.name}/blobs/uploads/`;
    for (const from of mountFrom) {
      const query = new URLSearchParams({ mount: this.#blob.digest, from });
      const scopes = [this.#target.scope('pull,push'), `repository:${from}:pull`];
      const response = await this.#tryMount(`${base}?${query.toString()}`, scopes);
      if (response === undefined) continue;
      if (response.status === 201) return 'mounted';
      this.#goOn(response);
      return 'begun';
    }
    this.#goOn(await this.#send({ method: 'POST', target: base, expected: [202] }));
    return 'begun';
  }

  /** Undefined if the registry does not do it: then the blob is sent. */
  async #tryMount(target: string, scopes: string[]): Promise<HttpResponse | undefined> {
    try {
      return await this.#send({ method: 'POST', target, scopes, expected: [201, 202] });
    } catch (error) {
      if (this.#signal.aborted || isRetryAdvised(error)) throw error;
      return undefined;
    }
  }

  /** Whether the registry still knows the upload. */
  async #askWhatIsThere(): Promise<boolean> {
    const target = this.#location ?? '';
    const response = await this.#send({ method: 'GET', target, expected: [204, 202, 404, 405] });
    if (response.status >= 400) return false;
    const last = /^(?:bytes=)?0-(\d{1,15})$/.exec(headerText(response.headers['range']))?.[1];
    // "0-0" is what some say of nothing; one byte more or less is asked for again.
    const stored = last === undefined || last === '0' ? 0 : Number(last) + 1;
    if (stored > this.#blob.size || stored === 0) return false;
    this.stored = stored;
    this.#goOn(response);
    return true;
  }

  async #sendRest(): Promise<void> {
    const { size } = this.#blob;
    const from = this.stored;
    const response = await this.#send({
      method: 'PATCH',
      target: this.#location ?? '',
      headers: {
        'content-type': 'application/octet-stream',
        'content-length': String(size - from),
        'content-range': `${from}-${size - 1}`,
      },
      body: { size: size - from, read: () => this.#hashed(from) },
      expected: [202, 201, 204],
    });
    this.stored = size;
    this.#goOn(response);
  }

  /** The bytes from an offset on; all of them are hashed, and the last piece is given out only if they are right. */
  async *#hashed(from: number): AsyncGenerator<Uint8Array> {
    const hash = createHash('sha256');
    const { digest, size } = this.#blob;
    let at = 0;
    let held: Uint8Array | undefined;
    for await (const chunk of this.#blob.read(0)) {
      hash.update(chunk);
      const begin = Math.max(0, from - at);
      at += chunk.length;
      if (begin >= chunk.length) continue;
      if (held !== undefined) yield this.#counted(held, at - chunk.length);
      held = chunk.subarray(begin);
    }
    const actual = `sha256:${hash.digest('hex')}`;
    if (actual !== digest || at !== size) {
      throw registryError('DIGEST_MISMATCH', this.#where, `expected ${digest}, got ${actual}`, {
        metadata: { expected: digest, actual },
      });
    }
    if (held !== undefined) yield this.#counted(held, at);
  }

  #counted(chunk: Uint8Array, current: number): Uint8Array {
    this.#transferred += chunk.length;
    this.#progress.sent(current, this.#transferred);
    return chunk;
  }

  async #finish(): Promise<void> {
    const target = new URL(this.#location ?? '');
    target.searchParams.set('digest', this.#blob.digest);
    const headers = { 'content-length': '0' };
    await this.#send({ method: 'PUT', target, headers, expected: [201, 204] });
  }

  #goOn({ headers, url }: HttpResponse): void {
    this.#location = locationOf(headers.location, url, this.#where);
  }

  async #send(
    request: Pick<EndpointRequest, 'method' | 'target' | 'expected'> & Partial<EndpointRequest>,
  ): Promise<HttpResponse> {
    const response = await this.#endpoint.send({
      repository: this.#target.name,
      scopes: [this.#target.scope('pull,push')],
      step: STEP,
      signal: this.#signal,
      ...request,
    });
    response.body.destroy();
    return response;
  }
}

function headerText(value: string | string[] | undefined): string {
  return (Array.isArray(value) ? value[0] : value) ?? '';
}
