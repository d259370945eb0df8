export { arrangeBranches, type LowerBranch } from './arrange-branches.js';
export { addBranch, listBranches, removeBranch, setBranchPermission } from './branches.js';
export { capabilitiesOf } from './capabilities.js';
export { checkSnapshots, type CheckRequest } from './check/check-snapshots.js';
export { repairSnapshots } from './check/repair-snapshots.js';
export { invalid } from './check-input.js';
export { commitSnapshot, type CommitRequest } from './commit-snapshot.js';
export type { SnapshotContext } from './context.js';
export { createSnapshot, type NewSnapshot } from './create-snapshot.js';
export { deleteTree } from './delete-tree.js';
export { diskError } from './disk-error.js';
export { BLOCK_BYTES } from './disk-walk.js';
export type {
  AddedBranch,
  DiskUsage,
  Inventory,
  SnapshotBranches,
  SnapshotMerge,
  SnapshotPlace,
  SnapshotQuota,
  SnapshotReparent,
  StorageDriver,
} from './driver.js';
export { allRecords, eachRecord } from './each-record.js';
export { filesystemName } from './filesystem-name.js';
export { parseFilters } from './filter.js';
export { findSnapshot, placeOf, refuseCommitted, refuseDamaged } from './find-snapshot.js';
export { infoOf } from './info.js';
export { keepsAttributes } from './keeps-attributes.js';
export { LayerDirectories, layerIdOf, type LayerDirectoriesOptions } from './layer-directories.js';
export { measureTree, walkUsage, type MeasureOptions } from './measure-tree.js';
export { mergeIntoParent, type MergeRequest } from './merge-into-parent.js';
export { measureDriver, measureUsage } from './measure-usage.js';
export { openSnapshots, type OpenSnapshots } from './open-snapshots.js';
export { getQuota, setQuota } from './quota.js';
export { removeSnapshot } from './remove-snapshot.js';
export { replaceSnapshot, type ReplaceRequest } from './replace-snapshot.js';
export { setParent, type ParentChange } from './set-parent.js';
export { syncFilesystem } from './sync-filesystem.js';
export { TaskQueue } from './task-queue.js';
export { updateLabels } from './update-labels.js';
