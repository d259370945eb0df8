import { teuError } from '@teu/errors';
import { failpoint } from '@teu/failpoint';
import { clock } from '@teu/ids';
import { SnapshotAction } from '@teu/proto/event';
import { checkName, invalid } from './check-input.js';
import type { SnapshotContext } from './context.js';
import { diskError } from './disk-error.js';
import type { SnapshotPlace, SnapshotReparent } from './driver.js';
import { refuseTwice } from './branches.js';
import { findActive, findParent, placeOn } from './find-snapshot.js';
import type { SnapshotRecord } from './record.js';

/** What SetParent asks for. */
export interface ParentChange {
  readonly key: string;
  /** Name of the parent that the snapshot must stand on; empty for any. */
  readonly expectedParent: string;
  /** Name of the parent to stand on. */
  readonly parent: string;
}

/**
 * Puts an active snapshot on another parent.
 *
 * The row first: it decides what is mounted from now on. Mounts that exist follow, where the driver can
 * make them; after a crash in between the next start makes them, because it goes by the rows.
 *
 * @returns Whether mounts that exist show the new parent.
 * @throws FEATURE_UNSUPPORTED, SNAPSHOT_NOT_FOUND, INVALID_STATE if it is not active, CONFLICT if it
 *   stands on another parent than expected
 */
export async function setParent(
  context: SnapshotContext,
  change: ParentChange,
): Promise<{ isLive: boolean }> {
  const reparent = requireReparent(context);
  checkName(change.key, 'key');
  checkName(change.parent, 'parent');
  const { previous, place, isSame } = findPlaces(context, change);
  if (!isSame) {
    reparent.check(place);
    context.records.transaction(() => {
      const now = findPlaces(context, change);
      if (now.place.id !== place.id) throw replaced(change.key);
      context.records.setParent(now.place.id, now.place.parentIds[0] ?? null, clock.now());
      const action = SnapshotAction.SNAPSHOT_ACTION_REPARENTED;
      context.announce(action, change.key, change.parent);
    });
    failpoint('storage.reparent.after-row');
  }
  try {
    return { isLive: await reparent.apply(place, previous) };
  } catch (error) {
    const text = `snapshot "${change.key}" stands on its new parent from its next mount on, but what is mounted now could not be changed`;
    throw diskError(error, text);
  }
}

/** Has what is mounted show the parents that the rows tell; run once, before the first request. */
export async function reapplyParents(
  { driver, log }: SnapshotContext,
  places: Iterable<SnapshotPlace>,
): Promise<void> {
  for (const place of places) {
    try {
      await driver.reparent?.apply(place, undefined);
    } catch (error) {
      log.error({ err: error, id: place.id }, 'a mounted snapshot may not show its new parent');
    }
  }
}

function requireReparent({ driver }: SnapshotContext): SnapshotReparent {
  if (driver.reparent !== undefined) return driver.reparent;
  const text = `storage driver ${driver.name} cannot put a snapshot on another parent`;
  throw teuError('FEATURE_UNSUPPORTED', text, { metadata: { driver: driver.name } });
}

interface Places {
  readonly previous: SnapshotPlace;
  readonly place: SnapshotPlace;
  readonly isSame: boolean;
}

function findPlaces(context: SnapshotContext, change: ParentChange): Places {
  const record = findActive(context, change.key);
  const parent = findParent(context, change.parent);
  if (record.parentId === null) {
    throw invalid('key', `snapshot "${change.key}" has no parent that could be replaced`);
  }
  const isSame = record.parentName === change.parent;
  if (!isSame) requireExpected(record, change);
  context.merges.refuse(record.id, change.key);
  const previous = placeOn(context, record, record.parentId);
  const place = placeOn(context, record, parent?.id ?? null);
  refuseTwice(context, place, change.key);
  return { previous, place, isSame };
}

/** What was asked for twice has happened already, so only another parent is a conflict. */
function requireExpected(record: SnapshotRecord, { key, expectedParent }: ParentChange): void {
  if (expectedParent === '' || record.parentName === expectedParent) return;
  const text = `snapshot "${key}" stands on "${record.parentName}", not on "${expectedParent}"`;
  throw teuError('CONFLICT', text, { metadata: { snapshot: key, parent: record.parentName } });
}

function replaced(key: string): Error {
  return teuError('CONFLICT', `snapshot "${key}" was replaced while its parent was set`, {
    metadata: { snapshot: key },
  });
}
