import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { teuError } from '@teu/errors';
import { clock } from '@teu/ids';
import type { Store } from '@teu/state';

/** Blobs that are not what their digest says: kept aside, and not used. */
export interface BlobQuarantine {
  /** Why a blob is not to be used; undefined if nothing is known against it. */
  damageOf(digest: string): string | undefined;
  /** @throws DATA_LOSS if it is in quarantine */
  requireUndamaged(digest: string): void;
  /** In a transaction: takes a blob out of use. Then its file is put aside, under its name. */
  quarantine(digest: string, why: string): void;
  /** In the caller's transaction: the blob in the place of the damaged one is whole. @returns whether there was one */
  release(digest: string): boolean;
}

/** What a blob store needs of it beside. */
export interface QuarantineFiles extends BlobQuarantine {
  /** Removes the file of a blob that has no row any more. */
  removeFile(digest: string): void;
  /** Removes files of blobs that are in quarantine no more. */
  sweepFiles(): void;
}

/** What is said of a blob without a file. */
export const BLOB_GONE = 'its file is gone';

/** @param names - Where the file of a blob is, and how it is called. */
export function createBlobQuarantine(
  store: Store,
  directory: string,
  names: { pathOf: (digest: string) => string; hexOf: (digest: string) => string },
): QuarantineFiles {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const asideOf = (digest: string): string => join(directory, names.hexOf(digest));
  const damageOf = (digest: string): string | undefined =>
    store.prepare<{ why: string }>('SELECT why FROM quarantine WHERE digest = ?').get(digest)?.why;
  return {
    damageOf,
    requireUndamaged: (digest) => {
      const damage = damageOf(digest);
      if (damage !== undefined) throw damagedBlob(digest, damage);
    },
    quarantine: (digest, why) => {
      store
        .prepare('INSERT OR REPLACE INTO quarantine (digest, why, found_ms) VALUES (?, ?, ?)')
        .run(digest, why, clock.now().getTime());
      store.afterCommit(() => {
        const path = names.pathOf(digest);
        if (existsSync(path)) renameSync(path, asideOf(digest));
      });
    },
    release: (digest) => {
      const { changes } = store.prepare('DELETE FROM quarantine WHERE digest = ?').run(digest);
      if (changes === 0) return false;
      store.afterCommit(() => rmSync(asideOf(digest), { force: true }));
      return true;
    },
    removeFile: (digest) => rmSync(asideOf(digest), { force: true }),
    sweepFiles: () => {
      for (const name of readdirSync(directory)) {
        if (damageOf(`sha256:${name}`) === undefined) unlinkSync(join(directory, name));
      }
    },
  };
}

/** The error for the use of a blob that is not as it was stored. It says what helps. */
export function damagedBlob(digest: string, why: string): Error {
  const text = `the blob ${digest} is damaged: ${why}. Load or pull the image again, which mends it`;
  return teuError('DATA_LOSS', text, { metadata: { digest } });
}
