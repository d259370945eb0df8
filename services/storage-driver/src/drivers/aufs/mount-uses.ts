import { mountsOfNamespaces } from '../mount-info.js';

/** Where one file system is mounted, in all mount namespaces together. */
export interface MountUses {
  readonly count: number;
  readonly mountPoints: ReadonlySet<string>;
}

/** Goes through the mounts of all processes. @returns By "major:minor" of the file system */
export function mountUses(): ReadonlyMap<string, MountUses> {
  const uses = new Map<string, { count: number; mountPoints: Set<string> }>();
  for (const mounts of mountsOfNamespaces()) {
    for (const { device, mountPoint } of mounts) {
      const use = uses.get(device) ?? { count: 0, mountPoints: new Set() };
      use.count += 1;
      uses.set(device, use);
      use.mountPoints.add(mountPoint);
    }
  }
  return uses;
}
