import { teuError } from '@teu/errors';

/** Names a place in a list, so that the next page goes on behind it, whatever has changed meanwhile. */
export function pageToken(...place: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

/**
 * The place that a token names; undefined for the begin.
 * @param kinds typeof of its parts
 * @throws INVALID_ARGUMENT
 */
export function parsePageToken(
  token: string,
  kinds: readonly ('string' | 'number')[],
): readonly (string | number)[] | undefined {
  if (token === '') return undefined;
  const place = decoded(token);
  const fits = kinds.length === place.length && kinds.every((kind, i) => typeof place[i] === kind);
  if (!fits) {
    throw teuError('INVALID_ARGUMENT', 'page_token is none that this list has given', {
      metadata: { field: 'page_token' },
    });
  }
  return place as readonly (string | number)[];
}

function decoded(token: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(Buffer.from(token, 'base64url').toString());
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}
