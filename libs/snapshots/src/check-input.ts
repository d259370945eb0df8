import { teuError } from '@teu/errors';
import type { Labels } from './record.js';

/** Most bytes that the key and the value of a label may have together (containerd's limit). */
export const MAX_LABEL_BYTES = 4096;
/** Most bytes of a key or name. containerd's are shorter; the limit keeps index pages sane. */
export const MAX_NAME_BYTES = 4096;

/**
 * Checks a key or name. It is an opaque text: slashes, spaces and the like mean nothing here and
 * never reach a path.
 *
 * @param field - Field of the request, for the error.
 * @throws INVALID_ARGUMENT if it is empty or too long
 */
export function checkName(name: string, field: string): void {
  if (name === '') throw invalid(field, `${field} is empty`);
  const length = Buffer.byteLength(name);
  if (length <= MAX_NAME_BYTES) return;
  throw invalid(field, `${field} has ${length} bytes, and at most ${MAX_NAME_BYTES} are allowed`);
}

/**
 * Checks labels and drops those without a value: in containerd an empty value removes a label.
 *
 * @throws INVALID_ARGUMENT if a label is longer than {@link MAX_LABEL_BYTES}
 */
export function checkLabels(labels: Labels): Labels {
  const entries = Object.entries(labels).filter(([, value]) => value !== '');
  for (const [key, value] of entries) {
    const length = Buffer.byteLength(key) + Buffer.byteLength(value);
    if (key !== '' && length <= MAX_LABEL_BYTES) continue;
    const shown = key.slice(0, 64);
    throw invalid(
      'labels',
      key === ''
        ? 'a label has an empty key'
        : `label "${shown}" has ${length} bytes with its value, and at most ${MAX_LABEL_BYTES} are allowed`,
    );
  }
  return Object.fromEntries(entries);
}

/** Makes the error for a field of a request. */
export function invalid(field: string, message: string): Error {
  return teuError('INVALID_ARGUMENT', message, { metadata: { field } });
}
