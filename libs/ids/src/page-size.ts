import { teuError } from '@teu/errors';

/**
 * Number of entries that a page may have: 1..1000, and 100 for 0 (AIP-158).
 * @throws INVALID_ARGUMENT for a negative or broken number; more than 1000 is cut to 1000.
 */
export function parsePageSize(value: number, field = 'page_size'): number {
  if (!Number.isInteger(value) || value < 0) {
    throw teuError('INVALID_ARGUMENT', `${field} is not between 0 and 1000`, {
      metadata: { field },
    });
  }
  return value === 0 ? 100 : Math.min(value, 1000);
}
