import { specError } from './spec-error.js';

/** The kernel's PATH_MAX, with its NUL. */
const PATH_BYTES_MAX = 4096;

/** Text that becomes a C string. @throws INVALID_SPEC if it holds a NUL, which would cut it. */
export function checkNoNul(text: string, field: string): string {
  if (text.includes('\0')) throw specError(field, 'has a NUL in it');
  return text;
}

/**
 * A path inside the root, or on the host.
 * @throws INVALID_SPEC unless it is absolute, has no `..` in it and fits PATH_MAX.
 */
export function checkAbsolutePath(path: string, field: string): string {
  checkNoNul(path, field);
  if (!path.startsWith('/')) throw specError(field, 'is not an absolute path');
  if (path.split('/').includes('..')) throw specError(field, 'has ".." in it');
  if (Buffer.byteLength(path) >= PATH_BYTES_MAX) throw specError(field, 'is too long for a path');
  return path;
}

/** @throws INVALID_SPEC unless it is an integer of the range, ends included. */
export function checkInteger(value: number, least: number, most: number, field: string): number {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw specError(field, `is not between ${least} and ${most}`);
  }
  return value;
}
