import { makeEvent } from '@teu/events';
import type { Logger } from '@teu/log';
import { Kind } from '@teu/proto/snapshots';
import { Capability } from '@teu/proto/storage';
import type { Store } from '@teu/state';
import { hostname } from 'node:os';
import { BranchRecords } from './branch-records.js';
import type { SnapshotContext } from './context.js';
import { forgetDiscards, REMEMBERED_DISCARDS } from './discard-log.js';
import type { SnapshotPlace, StorageDriver } from './driver.js';
import { allRecords } from './each-record.js';
import { placeOf } from './find-snapshot.js';
import { Manifests } from './manifests.js';
import { finishMerges } from './merge-into-parent.js';
import { MergeRecords } from './merge-records.js';
import { Reclaimer } from './reclaimer.js';
import { SnapshotRecords } from './records.js';
import { ReplacedRecords } from './replaced-records.js';
import { freeReplaced } from './replaced-storage.js';
import { Sealer } from './sealer.js';
import { TaskQueue } from './task-queue.js';
import { TreeJobs } from './tree-jobs.js';
import { recover } from './recover.js';
import { MIGRATIONS } from './schema.js';
import { reapplyParents } from './set-parent.js';

/** The snapshots of one driver, ready to work with. */
export interface OpenSnapshots extends SnapshotContext {
  /** Resolves when what was removed before the call is freed. */
  finishReclaim(): Promise<void>;
  /** Waits for work in the background. */
  close(): Promise<void>;
}

/** What `openSnapshots` needs. */
export interface OpenSnapshotsOptions {
  readonly store: Store;
  readonly driver: StorageDriver;
  /** Directory of the driver; manifests are kept in it. */
  readonly root: string;
  readonly log: Logger;
}

/** Brings the tables up to date and makes records and files agree. */
export async function openSnapshots(options: OpenSnapshotsOptions): Promise<OpenSnapshots> {
  const { store, driver, root, log } = options;
  store.migrate('snapshots', MIGRATIONS);
  const records = new SnapshotRecords(store);
  const [branches, merges] = [new BranchRecords(store), new MergeRecords(store)];
  const replaced = new ReplacedRecords(store);
  const manifests = new Manifests(root);
  const trees = new TreeJobs(driver);
  const sealer = new Sealer({ records, manifests, trees, log });
  // What earlier runs have removed is most likely on the disk by now, so the first look is at all of it.
  let discardsAtLeast = 1;
  const reclaimer = new Reclaimer(async () => {
    await driver.reclaim();
    await forgetDiscards(snapshots, discardsAtLeast);
    discardsAtLeast = REMEMBERED_DISCARDS;
  }, log);
  const source = `storage/${driver.name}`;
  const snapshots: OpenSnapshots = {
    driver,
    root,
    log,
    records,
    branches,
    merges,
    replaced,
    manifests,
    trees,
    sealer,
    mergeQueue: new TaskQueue(),
    announce: (action, key, parent) => {
      const value = { action, driver: driver.name, key, parent };
      const payload = { $case: 'snapshot' as const, value };
      store.outbox.append(makeEvent({ node: hostname(), source, payload }));
    },
    scheduleReclaim: () => reclaimer.schedule(),
    finishReclaim: () => reclaimer.finish(),
    close: async () => {
      sealer.close();
      await trees.close(sealer.idle());
      await reclaimer.idle();
      await driver.close?.();
    },
  };
  const found = await recover(snapshots);
  await driver.settle?.(mountablePlaces(snapshots));
  await finishMerges(snapshots);
  await freeReplaced(snapshots);
  if (driver.capabilities.includes(Capability.CAPABILITY_LIVE_REPARENT)) {
    await reapplyParents(snapshots, activePlaces(snapshots));
  }
  log.info({ ...found, snapshots: records.count() }, 'snapshots are open');
  reclaimer.schedule();
  sealer.schedule();
  return snapshots;
}

function* mountablePlaces(snapshots: SnapshotContext): Generator<SnapshotPlace> {
  for (const record of allRecords(snapshots)) {
    if (record.kind !== Kind.COMMITTED) yield placeOf(snapshots, record);
  }
}

function* activePlaces(snapshots: SnapshotContext): Generator<SnapshotPlace> {
  for (const record of allRecords(snapshots)) {
    if (record.kind === Kind.ACTIVE) yield placeOf(snapshots, record);
  }
}
