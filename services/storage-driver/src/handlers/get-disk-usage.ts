import { lstatSync, readdirSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import type { GetDiskUsageResponse } from '@teu/proto/storage';
import { BLOCK_BYTES, measureDriver, type SnapshotContext } from '@teu/snapshots';

/** @param root - Data directory of the driver, which also holds its records. */
export async function getDiskUsage(
  context: SnapshotContext,
  root: string,
  signal: AbortSignal,
): Promise<GetDiskUsageResponse> {
  const usage = await measureDriver(context, signal);
  const metadataBytes = usage.overhead + recordBytes(root);
  return {
    totalBytes: usage.committed + usage.active + usage.removing + metadataBytes,
    committedBytes: usage.committed,
    activeBytes: usage.active,
    removingBytes: usage.removing,
    metadataBytes,
    snapshotCount: context.records.count(),
    availableBytes: (await context.driver.availableBytes?.()) ?? freeBytes(root),
  };
}

function freeBytes(root: string): number {
  const { bavail, bsize } = statfsSync(root);
  return bavail * bsize;
}

/** The files beside the directories: the database, its log and its reserve. */
function recordBytes(root: string): number {
  const stats = readdirSync(root).map((name) => lstatSync(join(root, name)));
  return stats.reduce((sum, stat) => sum + (stat.isFile() ? stat.blocks * BLOCK_BYTES : 0), 0);
}
