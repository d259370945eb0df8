import { mountsOfNamespaces, ownMounts, type MountInfo } from '../mount-info.js';

/** A mount of a ZFS file system: of OpenZFS, or of zfs-fuse. */
export interface ZfsMount extends MountInfo {
  readonly dataset: string;
}

const TYPES = new Set(['zfs', 'fuse.zfs']);

/** Those of some mounts that are of ZFS. */
export function pickZfsMounts(mounts: readonly MountInfo[]): ZfsMount[] {
  return mounts
    .filter(({ type }) => TYPES.has(type))
    .map((mount) => ({ ...mount, dataset: mount.source }));
}

/** The mounts of ZFS that this process sees now. */
export function zfsMounts(): ZfsMount[] {
  return pickZfsMounts(ownMounts());
}

/** Names of the datasets that are mounted in any mount namespace that a process is in. */
export function mountedDatasets(): ReadonlySet<string> {
  const datasets = new Set<string>();
  for (const mounts of mountsOfNamespaces()) {
    for (const { dataset } of pickZfsMounts(mounts)) datasets.add(dataset);
  }
  return datasets;
}
