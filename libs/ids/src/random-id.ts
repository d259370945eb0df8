import { randomBytes } from 'node:crypto';

/** Random lower-case hexadecimal text of `byteCount` bytes (two digits each), from the kernel's generator. */
export function randomId(byteCount = 16): string {
  return randomBytes(byteCount).toString('hex');
}
