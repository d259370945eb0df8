import { constants, mkdirSync, readdirSync, renameSync, rmSync, unlinkSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { teuError } from '@teu/errors';
import type { Store } from '@teu/state';
import { digestOf } from '../domain/digest.js';

/** The content of images: one file per digest, and one row once something durable refers to it. */
export interface BlobStore {
  /** Whether the blob is recorded, thus whole and on disk. */
  has(digest: string): boolean;
  /** @throws BLOB_NOT_FOUND */
  open(digest: string): Promise<FileHandle>;
  /** The directory of all blobs, each named by the hexadecimal digits of its digest. */
  openDirectory(): Promise<FileHandle>;
  /** Directory for the files of one operation; removed by `removeStaging`. */
  makeStaging(operation: string): string;
  removeStaging(operation: string): void;
  /** Puts a synced file of verified content in its place. Durable only after `syncDirectory`. */
  promote(path: string, digest: string): void;
  /** Writes a small blob by way of the operation's staging directory. */
  write(bytes: Uint8Array, staging: string): Promise<string>;
  syncDirectory(): Promise<void>;
  /** In the caller's transaction. */
  record(digest: string, size: number): void;
  /** Rows that nothing refers to. */
  unreferenced(): string[];
  /** Removes the rows, if there are any, and then the files. */
  discard(digests: readonly string[]): void;
  /** Removes what a crash has left: all staging, and files without a row. */
  sweep(): void;
}

export function createBlobStore(store: Store, directory: string): BlobStore {
  const blobs = join(directory, 'blobs', 'sha256');
  const stagingRoot = join(directory, 'staging');
  for (const path of [blobs, stagingRoot]) mkdirSync(path, { recursive: true, mode: 0o700 });
  const pathOf = (digest: string): string => join(blobs, hexOf(digest));
  const has = (digest: string): boolean =>
    store.prepare('SELECT 1 FROM blobs WHERE digest = ?').get(digest) !== undefined;
  const promote = (path: string, digest: string): void => renameSync(path, pathOf(digest));
  return {
    has,
    open: async (digest) => {
      try {
        return await open(pathOf(digest), 'r');
      } catch (cause) {
        throw teuError('BLOB_NOT_FOUND', `the blob ${digest} is not in the store`, {
          metadata: { digest },
          cause,
        });
      }
    },
    openDirectory: () => open(blobs, constants.O_RDONLY | constants.O_DIRECTORY),
    makeStaging: (operation) => {
      const path = join(stagingRoot, operation);
      mkdirSync(path, { mode: 0o700 });
      return path;
    },
    removeStaging: (operation) =>
      rmSync(join(stagingRoot, operation), { recursive: true, force: true }),
    promote,
    write: async (bytes, staging) => {
      const digest = digestOf(bytes);
      const path = join(staging, hexOf(digest));
      const file = await open(path, 'w', 0o600);
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      promote(path, digest);
      return digest;
    },
    syncDirectory: () => syncDirectory(blobs),
    record: (digest, size) =>
      void store
        .prepare('INSERT OR IGNORE INTO blobs (digest, size) VALUES (?, ?)')
        .run(digest, size),
    unreferenced: () =>
      store
        .prepare<{ digest: string }>(UNREFERENCED_QUERY)
        .all()
        .map(({ digest }) => digest),
    discard: (digests) => {
      if (digests.length === 0) return;
      const statement = store.prepare('DELETE FROM blobs WHERE digest = ?');
      store.transaction(() => digests.forEach((digest) => statement.run(digest)));
      for (const digest of digests) rmSync(pathOf(digest), { force: true });
    },
    sweep: () => {
      for (const name of readdirSync(stagingRoot)) {
        rmSync(join(stagingRoot, name), { recursive: true, force: true });
      }
      for (const name of readdirSync(blobs)) {
        if (!has(`sha256:${name}`)) unlinkSync(join(blobs, name));
      }
    },
  };
}

const UNREFERENCED_QUERY = `
  SELECT digest FROM blobs
  WHERE digest NOT IN (SELECT id FROM images)
    AND digest NOT IN (SELECT manifest_digest FROM images)
    AND digest NOT IN (SELECT digest FROM layers)`;

/** Only digests that were parsed come here; the check keeps a mistake from becoming a path. */
function hexOf(digest: string): string {
  const hex = /^sha256:([0-9a-f]{64})$/.exec(digest)?.[1];
  if (hex === undefined) throw teuError('INVALID_ID', 'a digest is malformed');
  return hex;
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
