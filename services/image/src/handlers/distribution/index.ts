import type { DistributionServiceService } from '@teu/proto/image';
import type { Handlers } from '@teu/rpc';
import type { ImageParts } from '../../operations/image-parts.js';
import { checkCredentialsHandler } from './check-credentials.js';
import { listReferrersHandler } from './list-referrers.js';
import { listTagsHandler } from './list-tags.js';
import { pullImageHandler } from './pull-image.js';
import { pushImageHandler } from './push-image.js';
import { resolveImageHandler } from './resolve-image.js';

/** A handler for each method of teu.image.v1.DistributionService. */
export function createDistributionHandlers(
  parts: ImageParts,
): Handlers<typeof DistributionServiceService> {
  return {
    pullImage: pullImageHandler(parts),
    pushImage: pushImageHandler(parts),
    checkCredentials: checkCredentialsHandler(parts),
    resolveImage: resolveImageHandler(parts),
    listReferrers: listReferrersHandler(parts),
    listTags: listTagsHandler(parts),
  };
}
