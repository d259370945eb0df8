import type { NamespacesPlan } from '@teu/native';
import { specError } from './spec-error.js';

/** As sethostname(2) takes it, without anything that could end a line or a field of a file (CVE-2022-4318). */
const HOST_NAME = /^[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,62}[A-Za-z0-9_])?$/;

/** A host or domain name, or null to leave it. @throws INVALID_SPEC if it is malformed or would be the host's. */
export function planHostName(
  text: string,
  namespaces: NamespacesPlan,
  field: string,
): string | null {
  if (text === '') return null;
  if (!HOST_NAME.test(text)) throw specError(field, 'is not a host name');
  if (namespaces.uts.kind !== 'new') {
    throw specError(field, 'is set, but the container has no new UTS namespace');
  }
  return text;
}
