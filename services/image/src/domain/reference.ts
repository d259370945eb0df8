import { teuError } from '@teu/errors';
import { formatImageReference, parseImageReference } from '@teu/ids';

const HUB_PREFIX = 'docker.io/';
const LIBRARY_PREFIX = 'docker.io/library/';

/**
 * The one text under which a name is kept: as people write it, with the tag spelt out. Thus
 * `busybox`, `busybox:latest` and `docker.io/library/busybox` are one name, `busybox:latest`.
 * @throws INVALID_ID naming the field.
 */
export function normalizeName(text: string, field = 'reference'): string {
  const full = formatImageReference(parseImageReference(text, field));
  if (full.startsWith(LIBRARY_PREFIX)) return full.slice(LIBRARY_PREFIX.length);
  return full.startsWith(HUB_PREFIX) ? full.slice(HUB_PREFIX.length) : full;
}

/**
 * A name that can be given to an image: with a tag and without a digest, which is not for us to give.
 * @throws INVALID_ID naming the field.
 */
export function normalizeTag(text: string, field: string): string {
  const { digest } = parseImageReference(text, field);
  if (digest !== undefined) {
    throw teuError('INVALID_ID', `${field} has a digest where a name and a tag belong`, {
      metadata: { field },
    });
  }
  return normalizeName(text, field);
}

/** The name without its tag: `debian` of `debian:bookworm`. */
export function repositoryOf(name: string): string {
  const at = name.indexOf('@');
  const plain = at < 0 ? name : name.slice(0, at);
  const colon = plain.lastIndexOf(':');
  return colon > plain.lastIndexOf('/') ? plain.slice(0, colon) : plain;
}

/** What a client may mean by a reference: a digest or the beginning of one, a name, or either. */
export interface ReferenceMeaning {
  /** 4 to 64 hexadecimal digits. */
  idPrefix?: string;
  /** Normalised name. */
  name?: string;
  /** What stands after `@`: digest of a manifest or index, in its repository. */
  remote?: { registry: string; repository: string; digest: string };
}

const ID = /^(?:sha256:)?([0-9a-f]{4,64})$/;

/** @throws INVALID_ID if it can be none of these. */
export function parseMeaning(text: string, field = 'reference'): ReferenceMeaning {
  const idPrefix = ID.exec(text)?.[1];
  if (idPrefix !== undefined && (text.startsWith('sha256:') || idPrefix.length === 64)) {
    return { idPrefix };
  }
  const { digest, registry, repository } = parseImageReference(text, field);
  const name = normalizeName(digest === undefined ? text : text.slice(0, text.indexOf('@')), field);
  return {
    name,
    ...(digest === undefined ? {} : { remote: { registry, repository, digest } }),
    ...(idPrefix === undefined ? {} : { idPrefix }),
  };
}
