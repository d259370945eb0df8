import type { ContentServiceService } from '@teu/proto/image';
import type { Handlers } from '@teu/rpc';
import type { Caretaker } from '../../operations/caretaker.js';
import { contentUsage } from '../../operations/content-usage.js';
import type { ImageParts } from '../../operations/image-parts.js';
import { pruneImages } from '../../operations/prune/prune-images.js';
import { verifyImages } from '../../operations/verify/verify-images.js';
import { createLeaseHandler, extendLeaseHandler, releaseLeaseHandler } from './change-lease.js';
import { listLeasesHandler } from './list-leases.js';

/** A handler for each method of teu.image.v1.ContentService. */
export function createContentHandlers(
  parts: ImageParts,
  caretaker: Caretaker,
): Handlers<typeof ContentServiceService> {
  return {
    verifyImages: (request, { requestId, signal }) =>
      verifyImages(parts, request, { requestId, signal, idle: false }),
    pruneImages: (request, context) => pruneImages(parts, request, context),
    getContentUsage: (_request, { signal }) => contentUsage(parts, signal),
    createLease: createLeaseHandler(parts, caretaker),
    extendLease: extendLeaseHandler(parts, caretaker),
    releaseLease: releaseLeaseHandler(parts, caretaker),
    listLeases: listLeasesHandler(parts),
  };
}
