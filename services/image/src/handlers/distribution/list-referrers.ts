import { parseImageReference } from '@teu/ids';
import type { ListReferrersRequest, ListReferrersResponse } from '@teu/proto/image';
import type { CallContext } from '@teu/rpc';
import { parseDescriptor } from '../../domain/manifest.js';
import type { ImageParts } from '../../operations/image-parts.js';
import { openClient } from '../../registry/open-client.js';
import { toRemoteDescriptor } from '../../registry/remote-descriptor.js';
import { resolveName } from '../../registry/remote-image.js';

export function listReferrersHandler({ registry: options }: Pick<ImageParts, 'registry'>) {
  return async (
    { reference: text, artifactType, credentials }: ListReferrersRequest,
    { signal }: CallContext,
  ): Promise<ListReferrersResponse> => {
    const reference = parseImageReference(text, 'reference');
    const client = openClient(options, credentials);
    try {
      const { source, head } = await resolveName(client, reference, signal);
      const tag = reference.tag ?? 'latest';
      const subjectDigest = head.digest ?? (await source.getManifest(tag, signal)).digest;
      const { manifests } = await source.listReferrers(subjectDigest, artifactType, signal);
      const referrers = manifests
        .map((item, index) => parseDescriptor(item, `referrer ${index}`))
        // A registry may not know how to leave out the others.
        .filter((item) => artifactType === '' || item.artifactType === artifactType)
        .map(toRemoteDescriptor);
      return { subjectDigest, referrers };
    } finally {
      client.close();
    }
  };
}
