import { NamespaceType } from '@teu/proto/executor';

/** Kinds of namespace that a container gets of its own; the user namespace stays the host's. */
export const DEFAULT_NAMESPACES: readonly NamespaceType[] = [
  NamespaceType.NAMESPACE_TYPE_PID,
  NamespaceType.NAMESPACE_TYPE_NETWORK,
  NamespaceType.NAMESPACE_TYPE_MOUNT,
  NamespaceType.NAMESPACE_TYPE_IPC,
  NamespaceType.NAMESPACE_TYPE_UTS,
  NamespaceType.NAMESPACE_TYPE_CGROUP,
  NamespaceType.NAMESPACE_TYPE_TIME,
];
