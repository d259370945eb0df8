import { randomUUID } from 'node:crypto';
import { isTeuError, teuError } from '@teu/errors';
import { failpoint } from '@teu/failpoint';
import type { ParsedMount } from '@teu/mounts';
import type { Store } from '@teu/state';
import { requireDigest } from '../domain/digest.js';
import { nextChainId } from '../domain/chain-id.js';
import type { KeyedMutex } from '../domain/keyed-mutex.js';
import type { DamageTable } from '../store/damage-table.js';
import type { SnapshotTable } from '../store/snapshot-table.js';
import type { LayerDriver } from './layer-driver.js';
import type { LayerReport } from './layer-report.js';

export const EXTRACT_OPERATION = 'extract';

/** What recovery needs to undo an extraction; its object key is the snapshot's key. */
export interface ExtractIntent {
  driver: string;
}

/** Takes over a snapshot that an extraction has left, with its intent. */
export type OnLeftover = (driver: string, key: string, intentId: string) => void;

/** A layer to be unpacked on top of another. */
export interface UnpackRequest {
  driver: LayerDriver;
  /** Chain id of the layer below; undefined for the base. */
  parent: string | undefined;
  /** Undefined if only the bytes can tell: then nothing can be looked up beforehand. */
  diffId: string | undefined;
  /** Keeps the layer from being collected as garbage until an image refers to it. */
  pin(chainId: string): void;
  /** Writes the layer into the mounts; checks whatever the caller knows about it. */
  apply(mounts: ParsedMount[]): Promise<LayerReport>;
}

export interface UnpackedLayer {
  chainId: string;
  /** Bytes as unpacked. */
  sizeBytes: number;
  /** Undefined if the driver had the layer already. */
  report?: LayerReport;
}

/** Unpacks layers into drivers, each layer once however many want it at the same time. */
export interface Unpacker {
  ensure(request: UnpackRequest): Promise<UnpackedLayer>;
  /** What is known of a layer that a driver holds; undefined if it does not. */
  find(
    driver: LayerDriver,
    chainId: string,
    parent: string | undefined,
  ): Promise<UnpackedLayer | undefined>;
}

/** What unpacking works with. */
export interface UnpackerParts {
  store: Store;
  snapshots: SnapshotTable;
  damage: DamageTable;
  mutex: KeyedMutex;
  onLeftover: OnLeftover;
  /** In a transaction: a layer that was damaged is whole again. */
  onMended(chainId: string): void;
}

export function createUnpacker(parts: UnpackerParts): Unpacker {
  const { damage, snapshots, mutex } = parts;

  const find = async (
    driver: LayerDriver,
    chainId: string,
    parent: string | undefined,
  ): Promise<UnpackedLayer | undefined> => {
    // What is known to be damaged is made anew by whoever needs it.
    if (damage.hasAny(driver.name, [chainId])) return undefined;
    if (!(await driver.hasCommitted(chainId))) return undefined;
    const known = snapshots.find(driver.name, chainId);
    if (known) return { chainId, sizeBytes: known.sizeBytes };
    const sizeBytes = await driver.usage(chainId);
    snapshots.record({ driver: driver.name, chainId, parent: parent ?? '', sizeBytes });
    return { chainId, sizeBytes };
  };

  return {
    // In line with whoever removes it: what is found is still there afterwards.
    find: (driver, chainId, parent) =>
      mutex.run(`${driver.name} ${chainId}`, () => find(driver, chainId, parent)),
    ensure: async (request) => {
      const { driver, parent, diffId } = request;
      if (diffId === undefined) return extract(parts, request, find);
      const chainId = nextChainId(parent, diffId);
      return mutex.run(`${driver.name} ${chainId}`, async () => {
        return (await find(driver, chainId, parent)) ?? (await extract(parts, request, find));
      });
    },
  };
}

async function extract(
  parts: UnpackerParts,
  request: UnpackRequest,
  find: Unpacker['find'],
): Promise<UnpackedLayer> {
  const { store } = parts;
  const { driver, parent, diffId } = request;
  const key = `extract/${randomUUID()}`;
  const payload: ExtractIntent = { driver: driver.name };
  const intent = store.intents.begin({ operation: EXTRACT_OPERATION, objectKey: key, payload });
  try {
    failpoint('image.extract.after-intent');
    const expected = diffId === undefined ? undefined : nextChainId(parent, diffId);
    const isDamaged = expected !== undefined && parts.damage.hasAny(driver.name, [expected]);
    const mounts = await driver.prepare(key, parent ?? '', isDamaged ? undefined : expected);
    failpoint('image.extract.after-prepare');
    if (mounts === undefined && expected !== undefined) {
      const found = await find(driver, expected, parent);
      if (found) return found;
      throw driverContradicts(driver.name);
    }
    const report = await request.apply(mounts ?? []);
    if (diffId !== undefined) requireDigest('the uncompressed layer', diffId, report.diffId);
    failpoint('image.extract.after-apply');
    const chainId = nextChainId(parent, report.diffId);
    const finish = () => commit(parts, request, key, chainId, report.contentBytes);
    // With a known diff id the caller holds this lock already.
    await (diffId === undefined ? parts.mutex.run(`${driver.name} ${chainId}`, finish) : finish());
    store.intents.finish(intent);
    return { chainId, sizeBytes: report.contentBytes, report };
  } catch (error) {
    await abandon(parts, driver, key, intent);
    throw error;
  }
}

async function commit(
  parts: UnpackerParts,
  request: UnpackRequest,
  key: string,
  chainId: string,
  sizeBytes: number,
): Promise<void> {
  const { driver, parent } = request;
  request.pin(chainId);
  // Recorded before it is there: whatever happens now, the layer is known and can be collected.
  parts.snapshots.record({ driver: driver.name, chainId, parent: parent ?? '', sizeBytes });
  if (parts.damage.hasAny(driver.name, [chainId])) await commitAnew(parts, driver, key, chainId);
  else if ((await driver.commit(key, chainId)) === 'exists') await driver.remove(key);
  failpoint('image.extract.after-commit');
}

/** Commits a layer in the place of one that is damaged. A crash before the end has it done once more. */
async function commitAnew(
  { damage, onMended, store }: UnpackerParts,
  driver: LayerDriver,
  key: string,
  chainId: string,
): Promise<void> {
  if (await driver.hasCommitted(chainId)) await replace(driver, key, chainId);
  else await driver.commit(key, chainId);
  failpoint('image.mend.after-replace');
  store.transaction(() => {
    if (damage.forget(driver.name, chainId)) onMended(chainId);
  });
}

async function replace(driver: LayerDriver, key: string, chainId: string): Promise<void> {
  try {
    await driver.replace(key, chainId);
  } catch (error) {
    if (!isTeuError(error, 'FEATURE_UNSUPPORTED')) throw error;
    if ((await driver.remove(chainId)) === 'in use') {
      const text = `the layer ${chainId} is damaged, and the storage driver ${driver.name} cannot replace it while others stand on it`;
      const metadata = { driver: driver.name, snapshot: chainId };
      throw teuError('SNAPSHOT_IN_USE', text, { metadata, cause: error });
    }
    await driver.commit(key, chainId);
  }
}

function driverContradicts(driver: string): Error {
  return teuError('SNAPSHOT_INVALID', `the storage driver ${driver} has a layer and denies it`, {
    metadata: { driver },
  });
}

/** Removes what a failed extraction has left, or has that done later. */
async function abandon(
  { store, onLeftover }: { store: Store; onLeftover: OnLeftover },
  driver: LayerDriver,
  key: string,
  intent: string,
): Promise<void> {
  try {
    await driver.remove(key);
    store.intents.finish(intent);
  } catch {
    // The failure that led here is the one to tell.
    onLeftover(driver.name, key, intent);
  }
}
