import { DOCKER_CONFIG, DOCKER_MANIFEST, OCI_MANIFEST } from './media-types.js';
import { isObject, member, parseDocument } from './strict-json.js';

/**
 * Media type of an image manifest in the store. One of OCI need not tell it (image-spec, manifest.md); then its config does.
 * @throws IMAGE_INVALID
 */
export function manifestMediaType(bytes: Uint8Array): string {
  const document = parseDocument(bytes, 'the manifest');
  const own = member(document, 'mediaType');
  if (typeof own === 'string') return own;
  const config = member(document, 'config');
  const isDocker = isObject(config) && member(config, 'mediaType') === DOCKER_CONFIG;
  return isDocker ? DOCKER_MANIFEST : OCI_MANIFEST;
}
