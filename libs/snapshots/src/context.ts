import type { Logger } from '@teu/log';
import type { SnapshotAction } from '@teu/proto/event';
import type { BranchRecords } from './branch-records.js';
import type { StorageDriver } from './driver.js';
import type { Manifests } from './manifests.js';
import type { MergeRecords } from './merge-records.js';
import type { SnapshotRecords } from './records.js';
import type { ReplacedRecords } from './replaced-records.js';
import type { Sealer } from './sealer.js';
import type { TaskQueue } from './task-queue.js';
import type { TreeJobs } from './tree-jobs.js';

/** What every operation on snapshots works with. */
export interface SnapshotContext {
  readonly driver: StorageDriver;
  readonly records: SnapshotRecords;
  readonly branches: BranchRecords;
  readonly merges: MergeRecords;
  readonly replaced: ReplacedRecords;
  readonly log: Logger;
  /** Directory of the driver. */
  readonly root: string;
  readonly manifests: Manifests;
  readonly trees: TreeJobs;
  readonly sealer: Sealer;
  /** Merges, one after the other: two could touch the same parent. */
  readonly mergeQueue: TaskQueue;
  /**
   * Announces a fact about a committed snapshot; called inside the transaction that makes it true.
   * Active snapshots and views are not announced: they come and go with containers, whose own events
   * tell as much, and a start should not pay for saying it twice.
   */
  readonly announce: (action: SnapshotAction, name: string, parent: string) => void;
  /** Starts freeing in the background what was discarded. */
  readonly scheduleReclaim: () => void;
}
