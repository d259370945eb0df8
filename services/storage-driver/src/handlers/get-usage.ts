import type { UsageRequest, UsageResponse } from '@teu/proto/snapshots';
import type { SnapshotContext } from '../snapshots/context.js';
import { measureUsage } from '../snapshots/measure-usage.js';

export async function getUsage(
  context: SnapshotContext,
  { key }: UsageRequest,
  signal: AbortSignal,
): Promise<UsageResponse> {
  const usage = await measureUsage(context, key, signal);
  return { size: usage.bytes, inodes: usage.inodes };
}
