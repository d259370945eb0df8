import { createHash } from 'node:crypto';
import { teuError } from '@teu/errors';

const SHA256 = /^sha256:[0-9a-f]{64}$/;

/** "sha256:…" of bytes in memory. */
export function digestOf(bytes: Uint8Array | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/**
 * A digest that an image names. Only sha256 is taken: the one algorithm that all registries serve.
 * @throws IMAGE_INVALID naming where it stands, never the text, which may be anything.
 */
export function parseDigest(text: unknown, where: string): string {
  if (typeof text !== 'string' || !SHA256.test(text)) {
    throw teuError(
      'IMAGE_INVALID',
      `${where} is not sha256: and 64 lower-case hexadecimal digits`,
      {
        metadata: { where },
      },
    );
  }
  return text;
}

/** @throws DIGEST_MISMATCH naming both, unless they are equal. */
export function requireDigest(what: string, expected: string, actual: string): void {
  if (expected === actual) return;
  throw teuError('DIGEST_MISMATCH', `${what}: expected ${expected}, got ${actual}`, {
    metadata: { what, expected, actual },
  });
}
