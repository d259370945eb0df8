import { Kind } from '@teu/proto/snapshots';
import { checkName } from './check-input.js';
import type { SnapshotContext } from './context.js';
import type { DiskUsage } from './driver.js';
import { eachRecord } from './each-record.js';
import { findSnapshot } from './find-snapshot.js';

/**
 * Measures a snapshot without its parents: an active one now, a committed one as it was at commit.
 * A view has nothing of its own.
 *
 * @throws SNAPSHOT_NOT_FOUND
 */
export async function measureUsage(
  context: SnapshotContext,
  name: string,
  signal?: AbortSignal,
): Promise<DiskUsage> {
  checkName(name, 'key');
  const record = findSnapshot(context, name);
  if (record.kind === Kind.ACTIVE) return await context.driver.usage(record.id, signal);
  return { bytes: record.bytes ?? 0, inodes: record.inodes ?? 0 };
}

/** Disk use of a driver, in bytes, by what it is for. */
export interface DriverUsage {
  readonly committed: number;
  readonly active: number;
  readonly removing: number;
  /** Directories that belong to no snapshot, and manifests. */
  readonly overhead: number;
}

/** Adds up what all snapshots use; walks the active ones. */
export async function measureDriver(
  context: SnapshotContext,
  signal?: AbortSignal,
): Promise<DriverUsage> {
  let active = 0;
  const known = new Set<number>();
  for await (const record of eachRecord(context)) {
    known.add(record.id);
    if (record.kind === Kind.COMMITTED) continue;
    active += (await context.driver.usage(record.id, signal)).bytes;
  }
  const discarded = await context.driver.discardedUsage();
  const removing = discarded.bytes + (await replacedBytes(context, signal));
  const overhead = await context.driver.overhead();
  const manifests = await context.manifests.usage(signal);
  return {
    committed: context.records.committedBytes() + (await lostBytes(context, known, signal)),
    active,
    removing,
    overhead: overhead.bytes + manifests.bytes,
  };
}

/** What was replaced and is still mounted is on its way out. */
async function replacedBytes(
  { driver, replaced }: SnapshotContext,
  signal?: AbortSignal,
): Promise<number> {
  let bytes = 0;
  for (const id of replaced.ids()) bytes += (await driver.usage(id, signal)).bytes;
  return bytes;
}

/** Snapshots whose records were lost take up space all the same. */
async function lostBytes(
  context: SnapshotContext,
  known: ReadonlySet<number>,
  signal?: AbortSignal,
): Promise<number> {
  const sealed = [...context.manifests.inventory().ids];
  const lost = sealed.filter((id) => !known.has(id) && !context.records.isInMotion(id));
  if (lost.length === 0) return 0;
  const { complete } = await context.driver.inventory();
  let bytes = 0;
  for (const id of lost) {
    if (complete.has(id)) bytes += (await context.driver.usage(id, signal)).bytes;
  }
  return bytes;
}
