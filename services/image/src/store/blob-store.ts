import { constants, mkdirSync, readdirSync, renameSync, rmSync, unlinkSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { teuError } from '@teu/errors';
import type { Store } from '@teu/state';
import { digestOf } from '../domain/digest.js';
import {
  BLOB_GONE,
  createBlobQuarantine,
  damagedBlob,
  type BlobQuarantine,
} from './blob-quarantine.js';
import { evenIfFull } from './even-if-full.js';

/** A blob that is recorded. */
export interface BlobRow {
  digest: string;
  /** Bytes that it should have. */
  size: number;
}

/** The content of images: one file per digest, and one row once something durable refers to it. */
export interface BlobStore extends BlobQuarantine {
  /** Whether the blob is recorded, and not in quarantine: thus whole and on disk, as far as is known. */
  has(digest: string): boolean;
  /** Its row, also if it is in quarantine. */
  find(digest: string): BlobRow | undefined;
  /** All rows. */
  list(): BlobRow[];
  /** @throws BLOB_NOT_FOUND; DATA_LOSS if it is in quarantine, or its file is gone */
  open(digest: string): Promise<FileHandle>;
  /** Where its file is, or should be. */
  path(digest: string): string;
  /** Names of files in the place of blobs that have no row. */
  strays(): string[];
  /** Where such a file is. */
  strayPath(name: string): string;
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
  /** In the caller's transaction. What was in quarantine is whole again. @returns whether it was */
  record(digest: string, size: number): boolean;
  /** Rows that no image needs and no lease holds. */
  unreferenced(): string[];
  /** Removes the rows, if there are any, and then the files. Works on a full disk. */
  discard(digests: readonly string[]): void;
  /** Removes what a crash has left: all staging, and files without a row. */
  sweep(): void;
}

export function createBlobStore(store: Store, directory: string): BlobStore {
  const blobs = join(directory, 'blobs', 'sha256');
  const stagingRoot = join(directory, 'staging');
  for (const path of [blobs, stagingRoot]) mkdirSync(path, { recursive: true, mode: 0o700 });
  const pathOf = (digest: string): string => join(blobs, hexOf(digest));
  const aside = createBlobQuarantine(store, join(directory, 'quarantine'), { pathOf, hexOf });
  const find = (digest: string): BlobRow | undefined =>
    store.prepare<BlobRow>('SELECT digest, size FROM blobs WHERE digest = ?').get(digest);
  const strays = (): string[] =>
    readdirSync(blobs).filter((name) => find(`sha256:${name}`) === undefined);
  const promote = (path: string, digest: string): void => renameSync(path, pathOf(digest));
  return {
    has: (digest) => find(digest) !== undefined && aside.damageOf(digest) === undefined,
    find,
    list: () => store.prepare<BlobRow>('SELECT digest, size FROM blobs').all(),
    path: pathOf,
    ...aside,
    strays,
    strayPath: (name) => join(blobs, basename(name)),
    open: async (digest) => {
      aside.requireUndamaged(digest);
      return open(pathOf(digest), 'r').catch((cause: unknown) => {
        throw openError(digest, find(digest) !== undefined, cause);
      });
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
      await writeSynced(path, bytes);
      promote(path, digest);
      return digest;
    },
    syncDirectory: () => syncDirectory(blobs),
    record: (digest, size) => {
      store.prepare('INSERT OR IGNORE INTO blobs (digest, size) VALUES (?, ?)').run(digest, size);
      return aside.release(digest);
    },
    unreferenced: () =>
      store
        .prepare<{ digest: string }>(UNREFERENCED_QUERY)
        .all()
        .map(({ digest }) => digest),
    discard: (digests) => {
      if (digests.length === 0) return;
      const statement = store.prepare('DELETE FROM blobs WHERE digest = ?');
      evenIfFull(() => store.transaction(() => digests.forEach((digest) => statement.run(digest))));
      for (const digest of digests) {
        rmSync(pathOf(digest), { force: true });
        aside.removeFile(digest);
      }
    },
    sweep: () => {
      for (const name of readdirSync(stagingRoot)) {
        rmSync(join(stagingRoot, name), { recursive: true, force: true });
      }
      for (const name of strays()) unlinkSync(join(blobs, name));
      aside.sweepFiles();
    },
  };
}

const UNREFERENCED_QUERY = `
  SELECT digest FROM blobs
  WHERE digest NOT IN (SELECT id FROM images)
    AND digest NOT IN (SELECT manifest_digest FROM images)
    AND digest NOT IN (SELECT digest FROM layers)
    AND digest NOT IN (SELECT digest FROM lease_digests)`;

function openError(digest: string, isRecorded: boolean, cause: unknown): Error {
  if (isRecorded && isMissing(cause)) return damagedBlob(digest, BLOB_GONE);
  const metadata = { digest };
  return teuError('BLOB_NOT_FOUND', `the blob ${digest} is not in the store`, { metadata, cause });
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

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

async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'w', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}
