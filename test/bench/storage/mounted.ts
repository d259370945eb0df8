import { mountSnapshot, unmountSnapshot } from '@teu/snapshot-conformance';
import type { Mount } from '@teu/proto/snapshots';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';

/** A snapshot that is mounted at a directory of its own. */
export interface MountedSnapshot {
  readonly root: string;
  unmount(): Promise<void>;
}

/** Mounts what a driver returned at a new directory below `work`. */
export async function mountAt(mounts: readonly Mount[], work: string): Promise<MountedSnapshot> {
  const root = mkdtempSync(join(work, 'root-'));
  await mountSnapshot(mounts, root);
  return {
    root,
    unmount: async () => {
      await unmountSnapshot(root);
      rmdirSync(root);
    },
  };
}

/** Mounts, lets `act` work in the tree, and unmounts. */
export async function withMounted<T>(
  mounts: readonly Mount[],
  work: string,
  act: (root: string) => T,
): Promise<T> {
  const mounted = await mountAt(mounts, work);
  try {
    return act(mounted.root);
  } finally {
    await mounted.unmount();
  }
}
