import { teuError } from '@teu/errors';
import { parseImageReference, type ImageReference } from '@teu/ids';

/** Reads the name of a repository, without tag and digest. @throws INVALID_ID naming the field */
export function parseRepository(
  text: string,
  field: string,
): Pick<ImageReference, 'registry' | 'repository'> {
  const { registry, repository, digest } = parseImageReference(text, field);
  const hasTag = text.lastIndexOf(':') > text.lastIndexOf('/');
  if (digest !== undefined || hasTag) {
    throw teuError('INVALID_ID', `${field} is not the name of a repository alone`, {
      metadata: { field },
    });
  }
  return { registry, repository };
}

/** Reads the name of a registry as it stands in image names. @throws INVALID_ID naming the field */
export function registryHost(text: string, field: string): string {
  const isHost = /[.:]/.test(text) || text === 'localhost';
  if (!isHost || text.includes('/')) {
    throw teuError('INVALID_ID', `${field} is no registry host`, { metadata: { field } });
  }
  return parseImageReference(`${text}/x`, field).registry;
}
