import { hasControlCharacters } from '@teu/ids';
import type { LaunchPlan, NamespacesPlan } from '@teu/native';
import { checkNoNul } from './check-text.js';
import { specError } from './spec-error.js';

/** Parameters of an IPC namespace (ipc_namespaces(7)), beside all of fs.mqueue. */
const IPC_PARAMETERS: ReadonlySet<string> = new Set([
  'kernel.msgmax',
  'kernel.msgmnb',
  'kernel.msgmni',
  'kernel.sem',
  'kernel.shmall',
  'kernel.shmmax',
  'kernel.shmmni',
  'kernel.shm_rmid_forced',
]);
/** Names of /proc/sys with dots. No slash and no empty part: neither may lead out of its subtree (CVE-2022-0811). */
const NAME = /^[a-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+$/;
const VALUE_LENGTH_MAX = 1024;

/**
 * Kernel parameters of namespaces that the container has for itself. All others are the host's.
 * @throws INVALID_SPEC for a parameter of no namespace, or of one that is shared with the host.
 */
export function planSysctls(
  sysctls: Readonly<Record<string, string>>,
  namespaces: NamespacesPlan,
  field: string,
): LaunchPlan['sysctl'] {
  return Object.entries(sysctls).map(([key, value], index) => {
    if (!NAME.test(key)) throw specError(field, `has a malformed name (entry ${index + 1})`);
    const owner = owningNamespace(key);
    if (owner === undefined) throw specError(`${field}.${key}`, 'belongs to no namespace');
    if (namespaces[owner].kind === 'host') {
      throw specError(`${field}.${key}`, `belongs to the host: the ${owner} namespace is shared`);
    }
    return { key, value: checkValue(value, `${field}.${key}`) };
  });
}

function owningNamespace(key: string): keyof NamespacesPlan | undefined {
  if (key.startsWith('net.')) return 'network';
  if (key.startsWith('fs.mqueue.') || IPC_PARAMETERS.has(key)) return 'ipc';
  return undefined;
}

function checkValue(value: string, field: string): string {
  checkNoNul(value, field);
  if (hasControlCharacters(value.replaceAll('\t', ' ')) || value.length > VALUE_LENGTH_MAX) {
    throw specError(field, 'has control characters or is too long');
  }
  return value;
}
