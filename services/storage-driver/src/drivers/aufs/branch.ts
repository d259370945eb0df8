import type { LayerDirectories, SnapshotPlace } from '@teu/snapshots';
import { arrangeBranches } from '@teu/snapshots';

/** What may be done with a branch, in AUFS' words (aufs(5), "Branch Syntax"). */
export type Permission = 'rw' | 'ro' | 'ro+wh';

/** A directory of a union. */
export interface Branch {
  readonly path: string;
  readonly permission: Permission;
}

/** The branches of a snapshot, the highest first. One that is written to has its own as the first. */
export function branchesOf(directories: LayerDirectories, place: SnapshotPlace): Branch[] {
  const lower = arrangeBranches(place).map(({ id, hasWhiteouts }): Branch => ({
    path: directories.layer(id),
    permission: hasWhiteouts ? 'ro+wh' : 'ro',
  }));
  if (!place.writable) return lower;
  return [{ path: directories.layer(place.id), permission: 'rw' }, ...lower];
}

/** Whether a snapshot has to be put together. All others show one directory as it is. */
export function isUnion({ writable, parentIds, added = [] }: SnapshotPlace): boolean {
  // A layer without parents was never the branch of a union, so there are no whiteouts in it.
  return parentIds.length + added.length > (writable ? 0 : 1);
}

/** Whether both lists have the same branches in the same order with the same permissions. */
export function sameBranches(one: readonly Branch[], other: readonly Branch[]): boolean {
  return (
    one.length === other.length &&
    one.every(({ path, permission }, index) => {
      const match = other[index];
      return match?.path === path && match.permission === permission;
    })
  );
}
