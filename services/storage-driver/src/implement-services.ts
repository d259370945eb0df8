import { Empty } from '@teu/proto/google';
import { SnapshotsService } from '@teu/proto/snapshots';
import { BranchServiceService, DriverServiceService } from '@teu/proto/storage';
import { implement, type Handlers, type Implementation } from '@teu/rpc';
import { getDiskUsage } from './handlers/get-disk-usage.js';
import { getDriver, type ServiceFacts } from './handlers/get-driver.js';
import { getMounts } from './handlers/get-mounts.js';
import { getUsage } from './handlers/get-usage.js';
import { listSnapshots } from './handlers/list-snapshots.js';
import { prepareSnapshot } from './handlers/prepare-snapshot.js';
import { statSnapshot } from './handlers/stat-snapshot.js';
import { updateSnapshot } from './handlers/update-snapshot.js';
import { viewSnapshot } from './handlers/view-snapshot.js';
import {
  addBranch,
  checkSnapshots,
  commitSnapshot,
  getQuota,
  listBranches,
  mergeIntoParent,
  type OpenSnapshots,
  removeBranch,
  removeSnapshot,
  repairSnapshots,
  replaceSnapshot,
  setBranchPermission,
  setParent,
  setQuota,
} from '@teu/snapshots';

/** The ten methods that containerd has too. */
export function implementSnapshots(snapshots: OpenSnapshots): Implementation {
  const handlers: Handlers<typeof SnapshotsService> = {
    prepare: (request, caller) => prepareSnapshot(snapshots, request, caller),
    view: (request, caller) => viewSnapshot(snapshots, request, caller),
    mounts: (request) => getMounts(snapshots, request),
    commit: async (request) => {
      await commitSnapshot(snapshots, request);
      return Empty.create();
    },
    remove: async ({ key }) => {
      await removeSnapshot(snapshots, key);
      return Empty.create();
    },
    stat: async (request) => statSnapshot(snapshots, request),
    update: async (request) => updateSnapshot(snapshots, request),
    list: (request) => listSnapshots(snapshots, request),
    usage: (request, { signal }) => getUsage(snapshots, request, signal),
    cleanup: async () => {
      await snapshots.finishReclaim();
      return Empty.create();
    },
  };
  // Each waits for a disk, and how long depends on how much lies there; some drivers copy a parent.
  const longRunning = ['prepare', 'commit', 'usage', 'cleanup'] as const;
  return implement(SnapshotsService, handlers, { longRunning });
}

/** What containerd's protocol lacks. */
export function implementDriverService(
  snapshots: OpenSnapshots,
  root: string,
  facts: ServiceFacts,
): Implementation {
  const handlers: Handlers<typeof DriverServiceService> = {
    getDriver: async () => getDriver(snapshots.driver, facts),
    getDiskUsage: (_request, { signal }) => getDiskUsage(snapshots, root, signal),
    setQuota: async ({ key, limitBytes }) => {
      await setQuota(snapshots, key, limitBytes);
      return {};
    },
    getQuota: ({ key }) => getQuota(snapshots, key),
    setParent: (request) => setParent(snapshots, request),
    mergeIntoParent: (request) => mergeIntoParent(snapshots, request),
    replaceSnapshot: async (request) => {
      await replaceSnapshot(snapshots, request);
      return {};
    },
    checkSnapshots: (request, { signal }) => checkSnapshots(snapshots, request, signal),
    repairSnapshots: (request, { signal }) => repairSnapshots(snapshots, request, signal),
  };
  // As much is read and written as there is, and everybody waits for the disk.
  return implement(DriverServiceService, handlers, {
    longRunning: ['mergeIntoParent', 'replaceSnapshot'],
  });
}

/** Branches of unions; for a driver that has them. */
export function implementBranchService(snapshots: OpenSnapshots): Implementation {
  return implement(BranchServiceService, {
    listBranches: async ({ key }) => ({ branches: listBranches(snapshots, key) }),
    addBranch: async (request) => ({ isLive: await addBranch(snapshots, request) }),
    removeBranch: async (request) => ({ isLive: await removeBranch(snapshots, request) }),
    setBranchPermission: async (request) => ({
      isLive: await setBranchPermission(snapshots, request),
    }),
  });
}
