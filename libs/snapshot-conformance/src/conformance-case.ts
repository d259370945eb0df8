import type { Mount } from '@teu/proto/snapshots';
import type { StatusName } from '@teu/errors';
import { isTeuError } from '@teu/errors';
import { strict as assert } from 'node:assert';
import { join } from 'node:path';
import { mountSnapshot, unmountSnapshot } from './mount-snapshot.js';
import type { SnapshotsClient } from './snapshots-client.js';

/** What a driver says it can do; a case that needs more is not run. Never guessed from its name. */
export type ConformanceCapability = 'rebase' | 'layers-128' | 'shared-disk';

/** What a case works with. */
export interface CaseContext {
  readonly snapshots: SnapshotsClient;
  /** Empty directory of this case. */
  readonly work: string;
  /** Makes a key that no other case uses. */
  readonly key: (name: string) => string;
}

/** One thing that a driver must do. */
export interface ConformanceCase {
  /** In kebab case; never changes. */
  readonly name: string;
  readonly needs?: readonly ConformanceCapability[];
  readonly run: (context: CaseContext) => Promise<void>;
}

/** Mounts, works in the mounted tree, and unmounts, whatever comes of it. */
export async function withMounted<T>(
  context: CaseContext,
  mounts: readonly Mount[],
  work: (root: string) => T | Promise<T>,
): Promise<T> {
  const directory = join(context.work, 'mounted');
  await mountSnapshot(mounts, directory);
  try {
    return await work(directory);
  } finally {
    await unmountSnapshot(directory);
  }
}

/** Makes a committed layer: prepares, writes, commits. Returns its name. */
export async function makeLayer(
  context: CaseContext,
  name: string,
  parent: string,
  write: (root: string) => void | Promise<void> = () => undefined,
): Promise<string> {
  const key = context.key(`${name} being made`);
  await withMounted(context, await context.snapshots.prepare(key, parent), write);
  await context.snapshots.commit(context.key(name), key);
  return context.key(name);
}

/** Shows the tree of a committed snapshot through a view that is removed afterwards. */
export async function withView<T>(
  context: CaseContext,
  parent: string,
  look: (root: string) => T | Promise<T>,
): Promise<T> {
  const key = context.key(`view of ${parent}`);
  const mounts = await context.snapshots.view(key, parent);
  const result = await withMounted(context, mounts, look);
  await context.snapshots.remove(key);
  return result;
}

/**
 * Expects a call to be refused with a status. The status alone, because a driver that is not ours
 * tells no reasons.
 */
export async function expectStatus(call: Promise<unknown>, status: StatusName): Promise<void> {
  const outcome = await call.then(
    () => 'OK',
    (error: unknown) => (isTeuError(error) ? error.status : error),
  );
  assert.equal(outcome, status);
}
