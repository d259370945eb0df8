import { randomUUID } from 'node:crypto';
import { isTeuError, teuError } from '@teu/errors';
import type { LeaseRecord } from '../store/lease-table.js';
import { findImage } from './find-image.js';
import type { ImageParts } from './image-parts.js';

type Parts = Pick<ImageParts, 'blobs' | 'images' | 'leases' | 'store'>;

/** What a lease is asked for with. */
export interface LeaseRequest {
  references: readonly string[];
  ttlMs: number;
  holder: string;
}

const DAY_MS = 24 * 3_600_000;
export const TTL_MS_MIN = 1_000;
export const TTL_MS_MAX = 30 * DAY_MS;
const REFERENCE_COUNT_MAX = 1000;
const HOLDER_LENGTH_MAX = 256;
/** More are a client that forgets them. */
const LEASE_COUNT_MAX = 10_000;

/**
 * Keeps images and blobs from being removed, durably, from the moment on in which they were found.
 * @throws IMAGE_NOT_FOUND, BLOB_NOT_FOUND, AMBIGUOUS_REFERENCE, INVALID_ARGUMENT, RESOURCE_EXHAUSTED
 */
export function createLease(parts: Parts, request: LeaseRequest): LeaseRecord {
  const { leases, store } = parts;
  checkRequest(request);
  const id = randomUUID();
  return store.transaction(() => {
    leases.dropEnded();
    if (leases.count() >= LEASE_COUNT_MAX) {
      const text = `there are ${LEASE_COUNT_MAX} leases already, which is the most there can be`;
      throw teuError('RESOURCE_EXHAUSTED', text);
    }
    const digests = request.references.map((reference) => digestFor(parts, reference));
    leases.insert({ id, holder: request.holder, digests, ttlMs: request.ttlMs });
    return requireLease(parts, id);
  });
}

/** @throws LEASE_NOT_FOUND if it has ended, INVALID_ARGUMENT */
export function extendLease(parts: Parts, id: string, ttlMs: number): LeaseRecord {
  checkTtl(ttlMs);
  return parts.store.transaction(() => {
    if (!parts.leases.extend(id, ttlMs)) throw notFound(id);
    return requireLease(parts, id);
  });
}

/** @throws LEASE_NOT_FOUND if it has ended */
export function releaseLease({ leases, store }: Parts, id: string): void {
  if (!store.transaction(() => leases.release(id))) throw notFound(id);
}

/** Refuses to let go of an image that a lease holds. @throws IMAGE_IN_USE naming the holder */
export function refuseLeased(
  { leases }: Pick<ImageParts, 'leases'>,
  id: string,
  name: string,
): void {
  const holder = leases.holderOf(id);
  if (holder === undefined) return;
  const text = `the image ${name} is kept by a lease of "${holder}"; it stays`;
  throw teuError('IMAGE_IN_USE', text, { metadata: { image: id, name, holder } });
}

function checkRequest({ references, ttlMs, holder }: LeaseRequest): void {
  if (references.length === 0 || references.length > REFERENCE_COUNT_MAX) {
    throw invalid('references', `are not 1 to ${REFERENCE_COUNT_MAX}`);
  }
  // It is shown to people, in errors and lists.
  if (holder.length > HOLDER_LENGTH_MAX || !/^[^\p{C}]*$/u.test(holder)) {
    throw invalid('holder', `is not one line of at most ${HOLDER_LENGTH_MAX} characters`);
  }
  checkTtl(ttlMs);
}

function checkTtl(ttlMs: number): void {
  if (ttlMs >= TTL_MS_MIN && ttlMs <= TTL_MS_MAX) return;
  throw invalid('ttl', 'is not between 1 second and 30 days');
}

/** Id of an image, or the digest of a blob. */
function digestFor({ blobs, images }: Parts, reference: string): string {
  try {
    return findImage(images, reference, 'references').image.id;
  } catch (error) {
    if (!isTeuError(error, 'IMAGE_NOT_FOUND') || blobs.find(reference) === undefined) throw error;
    return reference;
  }
}

function requireLease({ leases }: Parts, id: string): LeaseRecord {
  const lease = leases.find(id);
  if (lease === undefined) throw notFound(id);
  return lease;
}

function notFound(id: string): Error {
  return teuError('LEASE_NOT_FOUND', `there is no lease ${JSON.stringify(id.slice(0, 64))}`, {
    metadata: { lease: id.slice(0, 64) },
  });
}

function invalid(field: string, problem: string): Error {
  return teuError('INVALID_ARGUMENT', `${field} ${problem}`, { metadata: { field } });
}
