import type { ReleaseDriverRequest, ReleaseDriverResponse } from '@teu/proto/image';
import type { CallContext } from '@teu/rpc';
import type { ImageParts } from '../operations/image-parts.js';
import { releaseDriver } from '../operations/release-driver.js';

export function releaseDriverHandler(parts: ImageParts) {
  return async (
    { name, force }: ReleaseDriverRequest,
    { signal }: CallContext,
  ): Promise<ReleaseDriverResponse> => ({
    layerCount: await releaseDriver(parts, name, force, signal),
  });
}
