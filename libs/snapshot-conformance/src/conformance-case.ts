import { isTeuError, type StatusName } from '@teu/errors';
import type { Mount } from '@teu/proto/snapshots';
import type { Capability } from '@teu/proto/storage';
import type { RpcChannel } from '@teu/rpc';
import { strict as assert } from 'node:assert';
import { join } from 'node:path';
import type { DriverTraits } from './driver-traits.js';
import { mountSnapshot, unmountSnapshot, type Execute } from './mount-snapshot.js';
import type { SnapshotsClient } from './snapshots-client.js';
import type { TreeProgram } from './tree-program.js';

/** What a case works with. */
export interface CaseContext {
  readonly snapshots: SnapshotsClient;
  /** For the calls that only some drivers serve. */
  readonly channel: RpcChannel;
  /** What the driver says it can do. */
  readonly traits: DriverTraits;
  /** Changes and lists trees. */
  readonly tree: TreeProgram;
  /** What random layers follow from, and how many stacks of them to make. */
  readonly random: { readonly seed: string; readonly stacks: number };
  /** Aborted when the suite is to end early. */
  readonly signal?: AbortSignal;
  /** Another driver, which is right. */
  readonly reference?: ReferenceDriver;
  /** Empty directory of this case. */
  readonly work: string;
  /** Makes a key that no other case uses. */
  readonly key: (name: string) => string;
}

/** A driver that another one is compared with. */
export interface ReferenceDriver {
  readonly snapshots: SnapshotsClient;
  readonly traits: DriverTraits;
}

/** One thing that a driver must do. */
export interface ConformanceCase {
  /** In kebab case; never changes. */
  readonly name: string;
  /** Capabilities without which it does not apply. */
  readonly needs?: readonly Capability[];
  /** Capabilities with which it does not apply: what a driver must refuse that does not have them. */
  readonly lacks?: readonly Capability[];
  /** Layers on each other without which it does not apply. */
  readonly layers?: number;
  /** Whether it calls methods of teu.storage.v1.DriverService. */
  readonly asksDriverService?: boolean;
  readonly run: (context: CaseContext) => Promise<void>;
}

/** Mounts, works in the mounted tree, and unmounts, whatever comes of it. */
export async function withMounted<T>(
  context: Pick<CaseContext, 'work'> & Partial<Pick<CaseContext, 'tree'>>,
  mounts: readonly Mount[],
  work: (root: string) => T | Promise<T>,
): Promise<T> {
  const { tree } = context;
  const execute: Execute | undefined = tree && ((program, args) => tree.execute(program, args));
  const directory = join(context.work, 'mounted');
  await mountSnapshot(mounts, directory, execute);
  try {
    return await work(directory);
  } finally {
    await unmountSnapshot(directory, execute);
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
export async function expectStatus(
  call: () => Promise<unknown>,
  status: StatusName,
): Promise<void> {
  const outcome = await statusOf(call());
  if (outcome === status) return;
  assert.fail(`${String(outcome)} instead of ${status}: ${call.toString().replace('()=>', '')}`);
}

/** Frees what was removed, if the driver has a method for it: it may have freed it at once. */
export async function cleanUp({ snapshots }: Pick<CaseContext, 'snapshots'>): Promise<void> {
  await snapshots.cleanup().catch((error: unknown) => {
    if (!isTeuError(error, 'UNIMPLEMENTED')) throw error;
  });
}

/** Status that a call ends with; any other error as it is. */
export async function statusOf(call: Promise<unknown>): Promise<unknown> {
  return await call.then(
    () => 'OK',
    (error: unknown) => (isTeuError(error) ? error.status : error),
  );
}
