import { failpoint } from '@teu/failpoint';
import { Kind } from '@teu/proto/snapshots';
import type { SnapshotContext } from './context.js';
import type { SnapshotPlace } from './driver.js';
import { hasOwnStorage, placeOf } from './find-snapshot.js';
import { allRecords } from './each-record.js';

/** What is said of a snapshot whose storage is gone. */
export const FILES_MISSING = 'its files are missing';

/** What a start has put right. */
export interface Recovery {
  /** Storage without a row, now discarded. */
  readonly orphans: number;
  /** Active snapshots and views whose storage was made again, empty. */
  readonly remade: number;
  /** Names of committed snapshots whose storage is missing. */
  readonly damaged: string[];
  /** Number of committed snapshots on disk whose record is gone. */
  readonly lost: number;
}

/**
 * Makes rows and storage agree after a crash or power cut; run once, before the first request.
 *
 * Storage without a row is one of three things. Its removal was decided: it goes. It has a manifest: it
 * was committed, so a record was lost (an older database was put back); it stays, and `repair` can make
 * the record again. Neither: it was never acknowledged as committed; it goes.
 *
 * A row of an active snapshot without storage is one whose directory was never made durable, so it was
 * empty as far as anyone was promised. A committed snapshot without storage can only be damage from
 * outside: it is reported and kept, because what stands on it must fail by name and not by surprise.
 */
export async function recover(context: SnapshotContext): Promise<Recovery> {
  const { driver, records, manifests } = context;
  const { complete, incomplete } = await driver.inventory();
  const sealed = manifests.inventory().ids;
  const discards = new Set(records.discards());
  const replaced = new Set(context.replaced.ids());
  for (const ids of [complete, incomplete, sealed, discards, replaced]) {
    for (const id of ids) records.raiseIds(id);
  }
  const known = new Set<number>();
  const damaged: string[] = [];
  let remade = 0;
  for (const record of allRecords(context)) {
    known.add(record.id);
    if (complete.has(record.id)) driver.known?.(placeOf(context, record));
    if (complete.has(record.id) || !hasOwnStorage(context, record)) continue;
    if (record.kind === Kind.COMMITTED) {
      damaged.push(record.name);
      if (record.damage === null) records.setDamage(record.id, FILES_MISSING);
      context.log.error({ snapshot: record.name }, 'the files of a committed snapshot are missing');
    } else {
      if (await remake(context, record.name, placeOf(context, record))) remade += 1;
    }
  }
  failpoint('storage.recover.after-remake');
  let orphans = 0;
  let lost = 0;
  for (const id of [...complete, ...incomplete]) {
    // What was replaced is looked after when the others are there.
    if (known.has(id) || replaced.has(id)) continue;
    if (sealed.has(id) && !discards.has(id)) {
      lost += 1;
      continue;
    }
    await driver.discard(id);
    orphans += 1;
  }
  for (const id of discards) manifests.remove(id);
  if (lost > 0) context.log.error({ lost }, 'committed snapshots have lost their records');
  return { orphans, remade, damaged, lost };
}

/**
 * Makes the storage of an active snapshot or view again. A full disk or a parent that is damaged keeps
 * that one from its caller, and not the driver from serving the others; the next start tries again.
 */
async function remake(
  { driver, log }: SnapshotContext,
  name: string,
  place: SnapshotPlace,
): Promise<boolean> {
  try {
    await driver.create(place);
    return true;
  } catch (error) {
    log.error({ err: error, snapshot: name }, 'the files of a snapshot could not be made again');
    return false;
  }
}
