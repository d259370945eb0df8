import type { MountsRequest, MountsResponse } from '@teu/proto/snapshots';
import type { SnapshotContext } from '../snapshots/context.js';
import { findSnapshot, placeOf, refuseCommitted } from '../snapshots/find-snapshot.js';

export function getMounts(context: SnapshotContext, { key }: MountsRequest): MountsResponse {
  const record = findSnapshot(context, key);
  refuseCommitted(record);
  return { mounts: context.driver.mounts(placeOf(context, record)) };
}
