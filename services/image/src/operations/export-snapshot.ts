import type { SaveProgress, SaveResult } from '@teu/proto/image';
import type { ImageParts } from './image-parts.js';
import type { SaveContext } from './save-images.js';
import { writeFileWhole } from './saved-file.js';
import { lookAtTree, requireSnapshot, type TreeLook } from './tree-look.js';

/** A tree of which a tar is made. */
export interface ExportRequest {
  driver: string;
  key: string;
}

type Parts = Pick<ImageParts, 'chores' | 'drivers' | 'producer' | 'store'>;

/**
 * Writes the whole tree of a snapshot to a file, as a tar.
 * @throws INVALID_ARGUMENT, DRIVER_NOT_FOUND, SNAPSHOT_NOT_FOUND, STORAGE_FULL, STORAGE_FAILED; CONFLICT if a directory was
 *   moved while it was read. Then nothing was written.
 */
export async function exportSnapshot(
  parts: Parts,
  request: ExportRequest & { path: string },
  { signal, report }: SaveContext,
): Promise<SaveResult> {
  await using look = await lookAt(parts, request);
  return await writeFileWhole(parts, request.path, async (file) => {
    // How much there will be is found out by reading it.
    const progress = (currentBytes: number): void =>
      report({ currentBytes, totalBytes: 0 } satisfies SaveProgress);
    const tree = look.mounts;
    const { blobBytes, digest } = await parts.producer.toFile({ tree, file, signal, progress });
    return { totalBytes: blobBytes, digest };
  });
}

/** Gives the same bytes as they are asked for. What ends without error is whole. */
export async function* downloadSnapshot(
  parts: Parts,
  request: ExportRequest,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  await using look = await lookAt(parts, request);
  yield* parts.producer.stream({ tree: look.mounts, signal });
}

async function lookAt(parts: Parts, { driver: name, key }: ExportRequest): Promise<TreeLook> {
  const driver = parts.drivers.get(name);
  return lookAtTree(parts, driver, key, await requireSnapshot(driver, key, 'key'));
}
