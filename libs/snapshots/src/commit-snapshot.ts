import { teuError } from '@teu/errors';
import { failpoint } from '@teu/failpoint';
import { clock } from '@teu/ids';
import { SnapshotAction } from '@teu/proto/event';
import { Kind } from '@teu/proto/snapshots';
import { Capability } from '@teu/proto/storage';
import { checkLabels, checkName, invalid } from './check-input.js';
import type { SnapshotContext } from './context.js';
import { refuseTaken } from './create-snapshot.js';
import { findParent, findSnapshot, refuseCommitted } from './find-snapshot.js';
import type { Labels, SnapshotRecord } from './record.js';

/** What Commit asks for. */
export interface CommitRequest {
  readonly key: string;
  readonly name: string;
  readonly labels: Labels;
  /** Parent chosen now, for a snapshot that was made without one; empty to leave it. */
  readonly parent: string;
}

/**
 * Makes an active snapshot immutable under a name. The data is durable before the row says so, and
 * the row before the answer: a committed snapshot is whole, whenever the power fails.
 *
 * Labels are replaced, not inherited, and the creation time is that of the commit, as in containerd.
 *
 * @throws SNAPSHOT_EXISTS, SNAPSHOT_NOT_FOUND, SNAPSHOT_COMMITTED, SNAPSHOT_READONLY,
 *   FEATURE_UNSUPPORTED for a parent that the driver cannot put below now
 */
export async function commitSnapshot(
  context: SnapshotContext,
  request: CommitRequest,
): Promise<void> {
  checkName(request.key, 'key');
  checkName(request.name, 'name');
  const labels = checkLabels(request.labels);
  const active = findCommittable(context, request);
  adoptParent(context, request, active);
  await context.driver.persist(active.id);
  // After it: before, some of the blocks are only reserved, and others not even that.
  const usage = await context.driver.usage(active.id);
  failpoint('storage.commit.after-persist');
  context.records.transaction(() => {
    const { id, parentName } = findCommittable(context, request, active.id);
    const parent = findParent(context, parentName === '' ? request.parent : parentName);
    context.records.commit({
      id,
      name: request.name,
      parentId: parent?.id ?? null,
      kind: Kind.COMMITTED,
      labels,
      at: clock.now(),
      bytes: usage.bytes,
      inodes: usage.inodes,
    });
    const action = SnapshotAction.SNAPSHOT_ACTION_COMMITTED;
    context.announce(action, request.name, parent?.name ?? '');
  });
  failpoint('storage.commit.after-row');
  await tellDriver(context, active);
  context.sealer.schedule();
}

/** The root of a stack of layers is that of the highest, so one that was made alone has to look like those below. */
function adoptParent(
  context: SnapshotContext,
  { parent }: CommitRequest,
  { id, parentName }: SnapshotRecord,
): void {
  if (parent === '' || parentName !== '') return;
  const below = findParent(context, parent);
  if (below !== undefined) context.driver.adoptParent?.(id, below.id);
}

/** What the driver cannot let go of now it lets go of at the next start. */
async function tellDriver(
  { driver, log }: SnapshotContext,
  { id, name }: SnapshotRecord,
): Promise<void> {
  try {
    await driver.committed?.(id);
  } catch (error) {
    log.error({ err: error, snapshot: name }, 'a committed snapshot may still be mounted');
  }
}

function findCommittable(
  context: SnapshotContext,
  request: CommitRequest,
  expectedId?: number,
): SnapshotRecord {
  refuseTaken(context, request.name);
  const record = findSnapshot(context, request.key);
  refuseCommitted(record);
  const metadata = { snapshot: request.key };
  if (record.kind === Kind.VIEW) {
    const text = `snapshot "${request.key}" cannot be committed: it is a view`;
    throw teuError('SNAPSHOT_READONLY', text, { metadata });
  }
  if (expectedId !== undefined && record.id !== expectedId) {
    const text = `snapshot "${request.key}" was replaced while it was committed`;
    throw teuError('CONFLICT', text, { metadata });
  }
  context.merges.refuse(record.id, request.key);
  if (context.branches.of(record.id).length > 0) {
    const text = `snapshot "${request.key}" cannot be committed: branches were added to it, which would be missing`;
    throw teuError('INVALID_STATE', text, { metadata });
  }
  const { parent } = request;
  if (parent !== '' && record.parentName !== '' && parent !== record.parentName) {
    throw invalid(
      'parent',
      `snapshot "${request.key}" cannot be committed on "${parent}": it stands on "${record.parentName}"`,
    );
  }
  if (parent !== '' && record.parentName === '') {
    requireRebase(context);
    findParent(context, parent);
  }
  return record;
}

/** @throws FEATURE_UNSUPPORTED if a snapshot keeps the tree that it was made with */
function requireRebase({ driver }: SnapshotContext): void {
  if (driver.capabilities.includes(Capability.CAPABILITY_REBASE)) return;
  const text = `storage driver ${driver.name} cannot give a snapshot a parent at commit: it must be prepared on it`;
  throw teuError('FEATURE_UNSUPPORTED', text, { metadata: { driver: driver.name } });
}
