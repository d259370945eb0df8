import type { RemoteDescriptor } from '@teu/proto/image';
import type { Descriptor } from '../domain/manifest.js';

/** A descriptor as clients see it. */
export function toRemoteDescriptor(descriptor: Descriptor): RemoteDescriptor {
  const { mediaType, digest, size, annotations, artifactType = '', platform } = descriptor;
  return {
    ...{ mediaType, digest, sizeBytes: size, artifactType, platform },
    annotations: { ...annotations },
  };
}
