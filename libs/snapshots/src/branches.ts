import { teuError } from '@teu/errors';
import { clock } from '@teu/ids';
import { Kind } from '@teu/proto/snapshots';
import {
  BranchOrigin,
  BranchPermission,
  type AddBranchRequest,
  type Branch,
  type RemoveBranchRequest,
  type SetBranchPermissionRequest,
} from '@teu/proto/storage';
import { arrangeBranches } from './arrange-branches.js';
import { checkName, invalid } from './check-input.js';
import type { SnapshotContext } from './context.js';
import { diskError } from './disk-error.js';
import type { AddedBranch, SnapshotBranches, SnapshotPlace } from './driver.js';
import { findActive, findSnapshot, placeOf, refuseDamaged } from './find-snapshot.js';
import type { SnapshotRecord } from './record.js';

const { BRANCH_PERMISSION_READ_ONLY, BRANCH_PERMISSION_READ_ONLY_WHITEOUTS } = BranchPermission;

/** Lists the branches of an active snapshot, the highest first. @throws SNAPSHOT_NOT_FOUND, INVALID_STATE */
export function listBranches(context: SnapshotContext, key: string): Branch[] {
  const record = findUnion(context, key);
  const place = placeOf(context, record);
  const own = {
    snapshot: key,
    permission: BranchPermission.BRANCH_PERMISSION_READ_WRITE,
    origin: BranchOrigin.BRANCH_ORIGIN_OWN,
  };
  const lower = arrangeBranches(place).map(({ id, hasWhiteouts, isAdded }) => ({
    snapshot: context.records.findById(id)?.name ?? '',
    permission: hasWhiteouts ? BRANCH_PERMISSION_READ_ONLY_WHITEOUTS : BRANCH_PERMISSION_READ_ONLY,
    origin: isAdded ? BranchOrigin.BRANCH_ORIGIN_ADDED : BranchOrigin.BRANCH_ORIGIN_PARENT,
  }));
  return [own, ...lower];
}

/** Adds a branch; see teu.storage.v1.BranchService. @returns Whether mounts that exist show it. */
export function addBranch(
  context: SnapshotContext,
  { key, index, branch, permission }: AddBranchRequest,
): Promise<boolean> {
  checkName(branch, 'branch');
  const hasWhiteouts = whiteoutsOf(permission);
  return change(context, key, (record, added) => {
    const found = findBranch(context, branch);
    const place = placeOf(context, record);
    const lower = arrangeBranches(place);
    if (lower.some(({ id }) => id === found.id)) throw isBranchAlready(key, branch);
    if (record.parentId === null) {
      throw invalidState(key, `snapshot "${key}" stands on nothing, so it is no union`);
    }
    if (index < 1 || index > lower.length + 1) {
      throw invalid('index', `index ${index} is not between 1 and ${lower.length + 1}`);
    }
    const above = lower.slice(0, index - 1);
    const isLowest = index === lower.length + 1;
    const parentsAbove = isLowest ? null : above.filter(({ isAdded }) => !isAdded).length;
    const position = above.filter(({ isAdded }) => isAdded).length;
    return added.toSpliced(position, 0, { id: found.id, parentsAbove, hasWhiteouts });
  });
}

/** Takes an added branch away. @returns Whether mounts that exist do without it. */
export function removeBranch(
  context: SnapshotContext,
  { key, branch }: RemoveBranchRequest,
): Promise<boolean> {
  return change(context, key, (record, added) => {
    const { id } = findAdded(context, record, added, branch);
    return added.filter((each) => each.id !== id);
  });
}

/** Changes the permission of an added branch. @returns Whether mounts that exist obey it. */
export function setBranchPermission(
  context: SnapshotContext,
  { key, branch, permission }: SetBranchPermissionRequest,
): Promise<boolean> {
  const hasWhiteouts = whiteoutsOf(permission);
  return change(context, key, (record, added) => {
    const { id } = findAdded(context, record, added, branch);
    return added.map((each) => (each.id === id ? { ...each, hasWhiteouts } : each));
  });
}

/** @throws CONFLICT if a branch that was added would be in the list twice */
export function refuseTwice(context: SnapshotContext, place: SnapshotPlace, key: string): void {
  const twice = place.added?.find(({ id }) => place.parentIds.includes(id));
  if (twice === undefined) return;
  throw isBranchAlready(key, context.records.findById(twice.id)?.name ?? '');
}

/** Rows first: they decide what is mounted from now on. What is mounted follows. */
async function change(
  context: SnapshotContext,
  key: string,
  work: (record: SnapshotRecord, added: readonly AddedBranch[]) => readonly AddedBranch[],
): Promise<boolean> {
  const branches = requireBranches(context);
  const place = context.records.transaction(() => {
    const record = findUnion(context, key);
    context.merges.refuse(record.id, key);
    const added = work(record, context.branches.of(record.id));
    branches.check({ ...placeOf(context, record), added });
    context.branches.set(record.id, added);
    context.records.setLabels(record.id, record.labels, clock.now());
    return placeOf(context, record);
  });
  try {
    return await branches.apply(place);
  } catch (error) {
    const text = `the branches of snapshot "${key}" are used from its next mount on, but what is mounted now could not be changed`;
    throw diskError(error, text);
  }
}

function findUnion(context: SnapshotContext, key: string): SnapshotRecord {
  requireBranches(context);
  checkName(key, 'key');
  return findActive(context, key);
}

function findBranch(context: SnapshotContext, name: string): SnapshotRecord {
  const record = findSnapshot(context, name);
  if (record.kind !== Kind.COMMITTED) {
    const text = `snapshot "${name}" cannot be a branch: it is not committed`;
    throw teuError('SNAPSHOT_NOT_COMMITTED', text, { metadata: { snapshot: name } });
  }
  refuseDamaged(context, record.id, `snapshot "${name}" cannot be a branch`);
  return record;
}

function findAdded(
  context: SnapshotContext,
  record: SnapshotRecord,
  added: readonly AddedBranch[],
  name: string,
): AddedBranch {
  const found = findSnapshot(context, name);
  const branch = added.find(({ id }) => id === found.id);
  if (branch !== undefined) return branch;
  if (found.id === record.id || context.records.chain(record.parentId).includes(found.id)) {
    const text = `branch "${name}" of snapshot "${record.name}" was not added, so it stays as it is`;
    throw invalidState(record.name, text);
  }
  const text = `"${name}" is no branch of snapshot "${record.name}"`;
  throw teuError('NOT_FOUND', text, { metadata: { snapshot: record.name } });
}

function whiteoutsOf(permission: BranchPermission): boolean {
  if (permission === BRANCH_PERMISSION_READ_ONLY_WHITEOUTS) return true;
  if (permission === BRANCH_PERMISSION_READ_ONLY) return false;
  throw invalid(
    'permission',
    'permission of a branch that is added is read-only in one of two ways',
  );
}

function requireBranches({ driver }: SnapshotContext): SnapshotBranches {
  if (driver.branches !== undefined) return driver.branches;
  const text = `storage driver ${driver.name} has no branches`;
  throw teuError('FEATURE_UNSUPPORTED', text, { metadata: { driver: driver.name } });
}

function isBranchAlready(key: string, branch: string): Error {
  const text = `"${branch}" is a branch of snapshot "${key}" already`;
  return teuError('CONFLICT', text, { metadata: { snapshot: key } });
}

function invalidState(key: string, text: string): Error {
  return teuError('INVALID_STATE', text, { metadata: { snapshot: key } });
}
