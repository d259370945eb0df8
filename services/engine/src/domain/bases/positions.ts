import { parsePageSize } from '@teu/ids';
import type { PageRequest } from '../../store/base-upgrade-table.js';
import { refuse } from '../spec-validation.js';

/**
 * What a client asks for of a list. The token is the position of the last row that it was given, so that rows which
 * come between pages neither repeat nor hide others.
 * @throws INVALID_ARGUMENT for a token that is none
 */
export function pageRequest({
  pageSize,
  pageToken: token,
}: {
  pageSize: number;
  pageToken: string;
}): PageRequest {
  if (token !== '' && !/^[1-9][0-9]{0,14}$/.test(token)) {
    refuse('page_token', 'is not one that was handed out');
  }
  return { size: parsePageSize(pageSize), from: token === '' ? undefined : Number(token) };
}

/** The token of the page that begins there; empty if there is none. */
export function pageToken(next: number | undefined): string {
  return next === undefined ? '' : String(next);
}
