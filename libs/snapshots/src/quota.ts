import { teuError } from '@teu/errors';
import { checkName, invalid } from './check-input.js';
import type { SnapshotContext } from './context.js';
import type { SnapshotQuota } from './driver.js';
import { findActive } from './find-snapshot.js';
import type { Labels } from './record.js';

/** Label by which Prepare is asked for a limit, in bytes (containerd 2, core/snapshots). */
export const QUOTA_LABEL = 'containerd.io/snapshot/max-size';

/** Returns the limit that labels ask for; undefined for none. @throws INVALID_ARGUMENT */
export function quotaOfLabels(labels: Labels): number | undefined {
  const text = labels[QUOTA_LABEL];
  if (text === undefined) return undefined;
  const bytes = Number(text);
  if (/^[1-9][0-9]*$/.test(text) && Number.isSafeInteger(bytes)) return bytes;
  throw invalid('labels', `label ${QUOTA_LABEL} is "${text}", not a number of bytes`);
}

/** @throws FEATURE_UNSUPPORTED if the driver cannot limit snapshots */
export function requireQuota({ driver }: Pick<SnapshotContext, 'driver'>): SnapshotQuota {
  if (driver.quota !== undefined) return driver.quota;
  const text = `storage driver ${driver.name} on ${driver.backingFilesystem} cannot limit the size of a snapshot`;
  throw teuError('FEATURE_UNSUPPORTED', text, { metadata: { driver: driver.name } });
}

/**
 * Limits an active snapshot.
 *
 * @param limitBytes - 0 for no limit.
 * @throws FEATURE_UNSUPPORTED, SNAPSHOT_NOT_FOUND, INVALID_STATE if it is not active
 */
export async function setQuota(
  context: SnapshotContext,
  key: string,
  limitBytes: number,
): Promise<void> {
  const quota = requireQuota(context);
  if (limitBytes < 0) throw invalid('limit_bytes', 'limit_bytes is negative');
  await quota.set(findLimitable(context, key), limitBytes);
}

/** @throws as `setQuota` */
export async function getQuota(
  context: SnapshotContext,
  key: string,
): Promise<{ limitBytes: number; usedBytes: number }> {
  const quota = requireQuota(context);
  return await quota.get(findLimitable(context, key));
}

function findLimitable(context: SnapshotContext, key: string): number {
  checkName(key, 'key');
  return findActive(context, key).id;
}
