import {
  MS_PRIVATE,
  MS_REC,
  MS_SHARED,
  MS_SLAVE,
  MS_UNBINDABLE,
  parseStorageMounts,
} from '@teu/mounts';
import type { RootfsPlan } from '@teu/native';
import type { Root } from '@teu/proto/executor';
import { specError } from './spec-error.js';

/** Propagation by name; it goes for everything that is mounted below the root. */
const PROPAGATIONS: Readonly<Record<string, number>> = {
  '': MS_PRIVATE | MS_REC,
  private: MS_PRIVATE | MS_REC,
  slave: MS_SLAVE | MS_REC,
  shared: MS_SHARED | MS_REC,
  unbindable: MS_UNBINDABLE | MS_REC,
};

/**
 * The root file system.
 * @param mountPoint an empty directory of the host, which all containers share: each mounts on it in a mount
 *   namespace of its own
 */
export function planRootfs(
  root: Root | undefined,
  propagation: string,
  mountPoint: string,
): RootfsPlan {
  if (root === undefined || root.mounts.length === 0) {
    throw specError('spec.root.mounts', 'is empty');
  }
  if (!Object.hasOwn(PROPAGATIONS, propagation)) {
    throw specError('spec.linux.rootfs_propagation', 'is not a known propagation');
  }
  return {
    path: mountPoint,
    mounts: parseStorageMounts(root.mounts, 'spec.root.mounts').map(
      ({ type, source, target, flags, data }) => ({ type, source, target, flags, data }),
    ),
    readonly: root.readonly,
    propagation: PROPAGATIONS[propagation] ?? MS_PRIVATE | MS_REC,
  };
}
