import type { Kind } from '@teu/proto/snapshots';

/** Labels as the protocol has them. */
export type Labels = Readonly<Record<string, string>>;

/** One snapshot as the store keeps it. */
export interface SnapshotRecord {
  readonly id: number;
  /** Key of an active snapshot or view, name of a committed one: one space of names. */
  readonly name: string;
  readonly parentId: number | null;
  /** Name of the parent; empty for none. */
  readonly parentName: string;
  readonly kind: Kind;
  readonly labels: Labels;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** Measured at commit; null before. */
  readonly bytes: number | null;
  readonly inodes: number | null;
  /** Digest of the manifest of a committed snapshot; null before there is one. */
  readonly sealed: string | null;
  /** Why nothing may stand on it; null if it is sound as far as is known. */
  readonly damage: string | null;
}
