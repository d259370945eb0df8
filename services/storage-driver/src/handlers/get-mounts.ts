import type { MountsRequest, MountsResponse } from '@teu/proto/snapshots';
import {
  findSnapshot,
  placeOf,
  refuseCommitted,
  refuseDamaged,
  type SnapshotContext,
} from '@teu/snapshots';

export async function getMounts(
  context: SnapshotContext,
  { key }: MountsRequest,
): Promise<MountsResponse> {
  const record = findSnapshot(context, key);
  refuseCommitted(record);
  context.merges.refuse(record.id, key);
  refuseDamaged(context, record.parentId, `snapshot "${key}" cannot be mounted`);
  return { mounts: await context.driver.mounts(placeOf(context, record)) };
}
