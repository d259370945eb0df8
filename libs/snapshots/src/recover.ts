import { failpoint } from '@teu/failpoint';
import { Kind } from '@teu/proto/snapshots';
import type { SnapshotContext } from './context.js';
import { placeOf } from './find-snapshot.js';
import { allRecords } from './measure-usage.js';

/** What a start has put right. */
export interface Recovery {
  /** Storage without a row, now discarded. */
  readonly orphans: number;
  /** Active snapshots and views whose storage was made again, empty. */
  readonly remade: number;
  /** Names of committed snapshots whose storage is missing. */
  readonly damaged: string[];
}

/**
 * Makes rows and storage agree after a crash or power cut; run once, before the first request.
 *
 * Storage without a row was never acknowledged, or its removal was. A row of an active snapshot
 * without storage is one whose directory was never made durable, so it was empty as far as anyone
 * was promised. A committed snapshot without storage can only be damage from outside: it is reported
 * and kept, because what stands on it must fail by name and not by surprise.
 */
export async function recover(context: SnapshotContext): Promise<Recovery> {
  const known = new Set<number>();
  const damaged: string[] = [];
  let remade = 0;
  const { complete, incomplete } = await context.driver.inventory();
  for (const record of allRecords(context)) {
    known.add(record.id);
    const place = placeOf(context, record);
    if (complete.has(place.id) || !context.driver.ownsStorage(place)) continue;
    if (record.kind === Kind.COMMITTED) {
      damaged.push(record.name);
      context.damaged.add(record.id);
      context.log.error({ snapshot: record.name }, 'the files of a committed snapshot are missing');
    } else {
      await context.driver.create(place);
      remade += 1;
    }
  }
  failpoint('storage.recover.after-remake');
  let orphans = 0;
  for (const id of [...complete, ...incomplete]) {
    if (known.has(id)) continue;
    await context.driver.discard(id);
    orphans += 1;
  }
  context.scheduleReclaim();
  return { orphans, remade, damaged };
}
