import { parseImageReference } from '@teu/ids';
import type { ResolveImageRequest, ResolveImageResponse } from '@teu/proto/image';
import type { CallContext } from '@teu/rpc';
import { parseManifest } from '../../domain/manifest.js';
import type { ImageParts } from '../../operations/image-parts.js';
import { openClient } from '../../registry/open-client.js';
import { toRemoteDescriptor } from '../../registry/remote-descriptor.js';
import { manifestType, resolveName } from '../../registry/remote-image.js';

export function resolveImageHandler({ registry: options }: Pick<ImageParts, 'registry'>) {
  return async (
    { reference: text, credentials }: ResolveImageRequest,
    { signal }: CallContext,
  ): Promise<ResolveImageResponse> => {
    const reference = parseImageReference(text, 'reference');
    const client = openClient(options, credentials);
    try {
      const { source, head } = await resolveName(client, reference, signal);
      const document = await source.getManifest(head.digest ?? reference.tag ?? 'latest', signal);
      const mediaType = manifestType(document.mediaType);
      const parsed = parseManifest(document.bytes, mediaType);
      return {
        descriptor: {
          ...{ mediaType, digest: document.digest, sizeBytes: document.bytes.length },
          ...{ artifactType: '', annotations: {}, platform: undefined },
        },
        manifests: parsed.kind === 'index' ? parsed.manifests.map(toRemoteDescriptor) : [],
        host: source.host,
      };
    } finally {
      client.close();
    }
  };
}
