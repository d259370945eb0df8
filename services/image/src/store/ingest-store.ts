import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { clock } from '@teu/ids';
import type { Store } from '@teu/state';

/** How much of what was begun is kept, and how long. */
export interface IngestLimits {
  /** Milliseconds. */
  ingestKeepMs: number;
  ingestMaxBytes: number;
}

/** Blobs on their way from a registry: each has a file that grows, and a row that says what it is to become. */
export interface IngestStore {
  /** Opens the file of a blob, made if it is not there. */
  open(digest: string, size: number): Promise<FileHandle>;
  /** Opens it for reading only; undefined if it is not there. */
  openIfThere(digest: string): Promise<FileHandle | undefined>;
  /** Where the whole file is, to be put in its place. */
  path(digest: string): string;
  has(digest: string): boolean;
  /** In a transaction: it has become a blob. What another pull has begun of it meanwhile is not needed. */
  finish(digest: string): void;
  /** What was put in its place and not recorded goes back, for the next pull. */
  takeBack(digest: string, from: string): void;
  remove(digest: string): void;
  /** Puts back what a crash has left in the place of blobs, and removes files that have no row. */
  recover(blobs: { path(digest: string): string; has(digest: string): boolean }): void;
  /** Removes what is too old or too much, the oldest first, but nothing in use. */
  sweep(isInUse: (digest: string) => boolean): void;
}

/** Opens the store of a directory. */
export function createIngestStore(
  store: Store,
  directory: string,
  { ingestKeepMs, ingestMaxBytes }: IngestLimits,
): IngestStore {
  const root = join(directory, 'ingest');
  mkdirSync(root, { recursive: true, mode: 0o700 });
  const path = (digest: string): string => join(root, digest.slice('sha256:'.length));
  const digests = (): string[] =>
    store
      .prepare<{ digest: string }>('SELECT digest FROM ingests')
      .all()
      .map(({ digest }) => digest);
  const has = (digest: string): boolean =>
    store.prepare('SELECT 1 FROM ingests WHERE digest = ?').get(digest) !== undefined;
  const forget = (digest: string): void =>
    void store.prepare('DELETE FROM ingests WHERE digest = ?').run(digest);
  const remove = (digest: string): void => {
    rmSync(path(digest), { force: true });
    forget(digest);
  };
  return {
    path,
    has,
    remove,
    finish: remove,
    open: async (digest, size) => {
      store
        .prepare('INSERT OR REPLACE INTO ingests (digest, size, use_ms) VALUES (?, ?, ?)')
        .run(digest, size, clock.now().getTime());
      return existsSync(path(digest)) ? open(path(digest), 'r+') : open(path(digest), 'wx+', 0o600);
    },
    openIfThere: async (digest) => {
      try {
        return await open(path(digest), 'r');
      } catch {
        return undefined;
      }
    },
    takeBack: (digest, from) => {
      if (has(digest) && existsSync(from)) renameSync(from, path(digest));
    },
    recover: (blobs) => {
      for (const digest of digests()) {
        if (existsSync(path(digest))) continue;
        const promoted = blobs.path(digest);
        if (existsSync(promoted) && !blobs.has(digest)) renameSync(promoted, path(digest));
        else forget(digest);
      }
      const known = new Set(digests().map(path));
      for (const name of readdirSync(root)) {
        if (!known.has(join(root, name))) rmSync(join(root, name), { force: true });
      }
    },
    sweep: (isInUse) =>
      sweepIngests(store, { path, remove, ingestKeepMs, ingestMaxBytes }, isInUse),
  };
}

function sweepIngests(
  store: Store,
  {
    path,
    remove,
    ingestKeepMs,
    ingestMaxBytes,
  }: IngestLimits & { path: (digest: string) => string; remove: (digest: string) => void },
  isInUse: (digest: string) => boolean,
): void {
  const now = clock.now().getTime();
  let total = 0;
  const rows = store
    .prepare<{ digest: string; useMs: number }>(
      'SELECT digest, use_ms AS useMs FROM ingests ORDER BY use_ms DESC',
    )
    .all();
  for (const { digest, useMs } of rows) {
    const bytes = statSync(path(digest), { throwIfNoEntry: false })?.size ?? 0;
    total += bytes;
    const isTooOld = now - useMs > ingestKeepMs || useMs > now + ingestKeepMs;
    if (isInUse(digest) || !(isTooOld || total > ingestMaxBytes)) continue;
    total -= bytes;
    remove(digest);
  }
}
