import { teuError } from '@teu/errors';
import { Kind } from '@teu/proto/snapshots';
import type { SnapshotContext } from './context.js';
import type { SnapshotPlace } from './driver.js';
import type { SnapshotRecord } from './record.js';

/** @throws SNAPSHOT_NOT_FOUND if there is none of this key or name */
export function findSnapshot(context: SnapshotContext, name: string): SnapshotRecord {
  const record = context.records.find(name);
  if (record !== undefined) return record;
  throw teuError('SNAPSHOT_NOT_FOUND', `snapshot "${name}" does not exist`, {
    metadata: { snapshot: name },
  });
}

/**
 * Finds the snapshot that another one is to stand on.
 *
 * @param name - Name of the parent; empty for none.
 * @returns The parent, or undefined for none.
 * @throws SNAPSHOT_NOT_FOUND, SNAPSHOT_NOT_COMMITTED, INVALID_ARGUMENT if it has too many layers
 */
export function findParent(context: SnapshotContext, name: string): SnapshotRecord | undefined {
  if (name === '') return undefined;
  const parent = context.records.find(name);
  const metadata = { snapshot: name };
  if (parent === undefined) {
    throw teuError('SNAPSHOT_NOT_FOUND', `parent snapshot "${name}" does not exist`, { metadata });
  }
  if (parent.kind !== Kind.COMMITTED) {
    const text = `snapshot "${name}" cannot be a parent: it is not committed`;
    throw teuError('SNAPSHOT_NOT_COMMITTED', text, { metadata });
  }
  const depth = context.records.chain(parent.id).length;
  const { name: driver, maxLayerCount } = context.driver;
  refuseDamaged(context, parent.id, `snapshot "${name}" cannot be a parent`);
  if (depth <= maxLayerCount) return parent;
  const text = `snapshot "${name}" cannot be a parent: it has ${depth} layers, and ${driver} takes at most ${maxLayerCount}`;
  throw teuError('INVALID_ARGUMENT', text, { metadata });
}

/**
 * Lets nothing stand on, or show, what is not as it was committed.
 *
 * @param id - Committed snapshot, or null for none.
 * @param what - What cannot be done, for the error.
 * @throws SNAPSHOT_INVALID if it or one below it is damaged
 */
export function refuseDamaged(
  { records }: Pick<SnapshotContext, 'records'>,
  id: number | null,
  what: string,
): void {
  const damagedId = records.damagedIn(records.chain(id));
  const damaged = damagedId === undefined ? undefined : records.findById(damagedId);
  if (damaged === undefined) return;
  const text = `${what}: snapshot "${damaged.name}" is damaged: ${damaged.damage ?? ''}`;
  throw teuError('SNAPSHOT_INVALID', text, { metadata: { snapshot: damaged.name } });
}

/** Says where the storage of a snapshot is. */
export function placeOf(context: SnapshotContext, record: SnapshotRecord): SnapshotPlace {
  return placeOn(context, record, record.parentId);
}

/** Says where a snapshot is if it stands on this parent; null for none. */
export function placeOn(
  context: SnapshotContext,
  { id, kind }: SnapshotRecord,
  parentId: number | null,
): SnapshotPlace {
  const added = context.branches.of(id);
  const parentIds = context.records.chain(parentId);
  const place = { id, writable: kind === Kind.ACTIVE, parentIds };
  return added.length === 0 ? place : { ...place, added };
}

/** Tells whether a snapshot has storage of its own. A committed one was active, so it has. */
export function hasOwnStorage(context: SnapshotContext, record: SnapshotRecord): boolean {
  return record.kind === Kind.COMMITTED || context.driver.ownsStorage(placeOf(context, record));
}

/** @throws SNAPSHOT_COMMITTED if the snapshot cannot be mounted or committed any more */
export function refuseCommitted(record: SnapshotRecord): void {
  if (record.kind !== Kind.COMMITTED) return;
  throw teuError('SNAPSHOT_COMMITTED', `snapshot "${record.name}" is committed, not active`, {
    metadata: { snapshot: record.name },
  });
}

/** Finds a snapshot that is written to. @throws SNAPSHOT_NOT_FOUND, INVALID_STATE if it is not active */
export function findActive(context: SnapshotContext, key: string): SnapshotRecord {
  const record = findSnapshot(context, key);
  if (record.kind === Kind.ACTIVE) return record;
  throw teuError('INVALID_STATE', `snapshot "${key}" is not active`, {
    metadata: { snapshot: key },
  });
}
