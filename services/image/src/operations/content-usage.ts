import type { Dirent } from 'node:fs';
import { lstat, opendir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { GetContentUsageResponse } from '@teu/proto/image';
import type { ImageParts } from './image-parts.js';

type Part =
  | 'imageBytes'
  | 'garbageBytes'
  | 'partialBytes'
  | 'quarantineBytes'
  | 'stagingBytes'
  | 'metadataBytes';

/** What lies where in the service's directory; all else is its records. */
const PLACES: Readonly<Record<string, Part>> = {
  ingest: 'partialBytes',
  quarantine: 'quarantineBytes',
  staging: 'stagingBytes',
};

/** Adds up all files of the store, each counted in one part. */
export async function contentUsage(
  parts: Pick<ImageParts, 'blobs' | 'directory' | 'images'>,
  signal: AbortSignal,
): Promise<GetContentUsageResponse> {
  const { blobs, directory, images } = parts;
  const needed = new Set(blobs.list().map(({ digest }) => digest));
  for (const digest of blobs.unreferenced()) needed.delete(digest);
  const usage = GetContentUsageResponse.create({
    blobCount: blobs.list().length,
    imageCount: images.ids().length,
  });
  for await (const path of filesBelow(directory, signal)) {
    const bytes = await sizeOf(path);
    const [room = '', , name = ''] = relative(directory, path).split(sep);
    const ofBlob: Part = needed.has(`sha256:${name}`) ? 'imageBytes' : 'garbageBytes';
    usage[room === 'blobs' ? ofBlob : (PLACES[room] ?? 'metadataBytes')] += bytes;
    usage.totalBytes += bytes;
  }
  return usage;
}

async function* filesBelow(directory: string, signal: AbortSignal): AsyncGenerator<string> {
  for await (const entry of entriesOf(directory)) {
    signal.throwIfAborted();
    const path = join(directory, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path, signal);
    else yield path;
  }
}

/** Directories of operations come and go meanwhile. */
async function* entriesOf(directory: string): AsyncGenerator<Dirent> {
  const entries = await opendir(directory).catch(ignoreMissing);
  if (entries !== undefined) yield* entries;
}

async function sizeOf(path: string): Promise<number> {
  return (await lstat(path).catch(ignoreMissing))?.size ?? 0;
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined;
  throw error;
}
