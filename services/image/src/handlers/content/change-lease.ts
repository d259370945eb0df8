import type {
  CreateLeaseRequest,
  CreateLeaseResponse,
  ExtendLeaseRequest,
  ExtendLeaseResponse,
  ReleaseLeaseRequest,
  ReleaseLeaseResponse,
} from '@teu/proto/image';
import type { Duration } from '@teu/proto/google';
import type { Caretaker } from '../../operations/caretaker.js';
import type { ImageParts } from '../../operations/image-parts.js';
import { createLease, extendLease, releaseLease } from '../../operations/leases.js';

export function createLeaseHandler(parts: ImageParts, caretaker: Caretaker) {
  return async (request: CreateLeaseRequest): Promise<CreateLeaseResponse> => {
    const { references, holder, ttl } = request;
    const lease = createLease(parts, { references, holder, ttlMs: toMs(ttl) });
    caretaker.leasesChanged();
    return Promise.resolve({ lease });
  };
}

export function extendLeaseHandler(parts: ImageParts, caretaker: Caretaker) {
  return async ({ id, ttl }: ExtendLeaseRequest): Promise<ExtendLeaseResponse> => {
    const lease = extendLease(parts, id, toMs(ttl));
    caretaker.leasesChanged();
    return Promise.resolve({ lease });
  };
}

export function releaseLeaseHandler(parts: ImageParts, caretaker: Caretaker) {
  return async ({ id }: ReleaseLeaseRequest): Promise<ReleaseLeaseResponse> => {
    releaseLease(parts, id);
    caretaker.leasesEnded();
    return Promise.resolve({});
  };
}

/** None is no time at all, which is refused. */
function toMs(duration: Duration | undefined): number {
  return duration === undefined ? 0 : duration.seconds * 1000 + Math.floor(duration.nanos / 1e6);
}
