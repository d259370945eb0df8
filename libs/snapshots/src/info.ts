import type { Info } from '@teu/proto/snapshots';
import type { SnapshotRecord } from './record.js';

/** Describes a snapshot as the protocol does. */
export function infoOf(record: SnapshotRecord): Info {
  return {
    name: record.name,
    parent: record.parentName,
    kind: record.kind,
    createdAt: record.createdAt,
    updatedAt: record.updatedAt,
    labels: { ...record.labels },
  };
}
