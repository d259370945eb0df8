import type { UsageRequest, UsageResponse } from '@teu/proto/snapshots';
import { measureUsage, type SnapshotContext } from '@teu/snapshots';

export async function getUsage(
  context: SnapshotContext,
  { key }: UsageRequest,
  signal: AbortSignal,
): Promise<UsageResponse> {
  const usage = await measureUsage(context, key, signal);
  return { size: usage.bytes, inodes: usage.inodes };
}
