import type { NamespacePlan, NamespacesPlan } from '@teu/native';
import { NamespaceType, type LinuxNamespace } from '@teu/proto/executor';
import { checkAbsolutePath } from './check-text.js';
import { specError } from './spec-error.js';

/** Kinds as the native layer names them; what is not here is refused. */
const KINDS: ReadonlyMap<NamespaceType, keyof NamespacesPlan> = new Map([
  [NamespaceType.NAMESPACE_TYPE_PID, 'pid'],
  [NamespaceType.NAMESPACE_TYPE_NETWORK, 'network'],
  [NamespaceType.NAMESPACE_TYPE_MOUNT, 'mount'],
  [NamespaceType.NAMESPACE_TYPE_IPC, 'ipc'],
  [NamespaceType.NAMESPACE_TYPE_UTS, 'uts'],
  [NamespaceType.NAMESPACE_TYPE_CGROUP, 'cgroup'],
  [NamespaceType.NAMESPACE_TYPE_TIME, 'time'],
]);

const NEW: NamespacePlan = { kind: 'new' };
const HOST: NamespacePlan = { kind: 'host' };
const TARGET: NamespacePlan = { kind: 'target' };

/**
 * Namespaces to make or to join; one that is not listed is the host's.
 * @throws INVALID_SPEC for an unknown or repeated kind, and unless there is a new mount namespace: set-up would
 * otherwise change the host's mounts.
 */
export function planNamespaces(
  namespaces: readonly LinuxNamespace[],
  field: string,
): NamespacesPlan {
  const plan: NamespacesPlan = {
    user: HOST,
    pid: HOST,
    mount: HOST,
    uts: HOST,
    ipc: HOST,
    network: HOST,
    cgroup: HOST,
    time: HOST,
  };
  namespaces.forEach(({ type, path }, index) => {
    const at = `${field}[${index}]`;
    const kind = KINDS.get(type);
    if (kind === undefined) throw specError(`${at}.type`, 'is not a known kind of namespace');
    if (plan[kind] !== HOST) throw specError(`${at}.type`, 'is there twice');
    plan[kind] = path === '' ? NEW : { kind: 'path', path: checkAbsolutePath(path, `${at}.path`) };
  });
  if (plan.mount.kind !== 'new') throw specError(field, 'has no new mount namespace');
  return plan;
}

/** For a program that joins a container: all that the container does not share with the host. */
export function joinNamespaces(own: readonly (keyof NamespacesPlan)[]): NamespacesPlan {
  const of = (kind: keyof NamespacesPlan) => (own.includes(kind) ? TARGET : HOST);
  return {
    user: of('user'),
    pid: of('pid'),
    mount: TARGET,
    uts: of('uts'),
    ipc: of('ipc'),
    network: of('network'),
    cgroup: of('cgroup'),
    time: of('time'),
  };
}

/** Kinds that a container has for itself or joined by path: those that an exec has to join. */
export function ownNamespaces(plan: NamespacesPlan): (keyof NamespacesPlan)[] {
  return (Object.keys(plan) as (keyof NamespacesPlan)[]).filter(
    (kind) => plan[kind].kind !== 'host',
  );
}
