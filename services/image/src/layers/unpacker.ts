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
import { needsParent, type LayerReport } from './layer-report.js';
import type { LayerBelow } from './layer-stack.js';

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
  /** Given if the layer below is still on its way into the driver. */
  below?: LayerBelow | undefined;
  /**
   * Writes the layer into the mounts; checks whatever the caller knows about it. May be called a second time.
   * @param standalone - Whether the mounts show nothing of the layer below.
   */
  apply(mounts: ParsedMount[], standalone: boolean): Promise<LayerReport>;
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
  onMended: (chainId: string) => void;
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

/** While the layer below is on its way, this one is unpacked beside it, if driver and layer allow that. */
async function extract(
  parts: UnpackerParts,
  request: UnpackRequest,
  find: Unpacker['find'],
): Promise<UnpackedLayer> {
  const { driver, below } = request;
  if (below === undefined) return extractOnce(parts, request, find, false);
  // What takes the place of a damaged layer has to stand where that stands from the beginning.
  const replaces = isDamaged(parts, request);
  if (!below.isReady && !replaces && (await driver.canStandAlone())) {
    try {
      return await extractOnce(parts, request, find, true);
    } catch (error) {
      if (!needsParent(error)) throw error;
    }
  }
  await below.ready;
  return extractOnce(parts, request, find, false);
}

async function extractOnce(
  parts: UnpackerParts,
  request: UnpackRequest,
  find: Unpacker['find'],
  standalone: boolean,
): Promise<UnpackedLayer> {
  const { store } = parts;
  const { driver, parent, diffId } = request;
  const key = `extract/${randomUUID()}`;
  const payload: ExtractIntent = { driver: driver.name };
  const intent = store.intents.begin({ operation: EXTRACT_OPERATION, objectKey: key, payload });
  try {
    failpoint('image.extract.after-intent');
    const expected = diffId === undefined ? undefined : nextChainId(parent, diffId);
    const target = isDamaged(parts, request) ? undefined : expected;
    const mounts = await driver.prepare(key, standalone ? '' : (parent ?? ''), target);
    failpoint('image.extract.after-prepare');
    if (mounts === undefined && expected !== undefined) {
      const found = await find(driver, expected, parent);
      if (found) return found;
      throw driverContradicts(driver.name);
    }
    const report = await request.apply(mounts ?? [], standalone);
    if (diffId !== undefined) requireDigest('the uncompressed layer', diffId, report.diffId);
    failpoint('image.extract.after-apply');
    if (standalone) {
      failpoint('image.extract.before-parent');
      await request.below?.ready;
    }
    const chainId = nextChainId(parent, report.diffId);
    const layer = { chainId, sizeBytes: report.contentBytes, standalone };
    const finish = () => commit(parts, request, key, layer);
    // With a known diff id the caller holds this lock already.
    await (diffId === undefined ? parts.mutex.run(`${driver.name} ${chainId}`, finish) : finish());
    store.intents.finish(intent);
    return { chainId, sizeBytes: report.contentBytes, report };
  } catch (error) {
    await abandon(parts, driver, key, intent);
    throw error;
  }
}

function isDamaged({ damage }: UnpackerParts, { driver, parent, diffId }: UnpackRequest): boolean {
  return diffId !== undefined && damage.hasAny(driver.name, [nextChainId(parent, diffId)]);
}

async function commit(
  parts: UnpackerParts,
  request: UnpackRequest,
  key: string,
  { chainId, sizeBytes, standalone }: { chainId: string; sizeBytes: number; standalone: boolean },
): Promise<void> {
  const { driver, parent } = request;
  request.pin(chainId);
  // Recorded before it is there: whatever happens now, the layer is known and can be collected.
  parts.snapshots.record({ driver: driver.name, chainId, parent: parent ?? '', sizeBytes });
  const chosen = standalone ? (parent ?? '') : '';
  if (parts.damage.hasAny(driver.name, [chainId])) await commitAnew(parts, driver, key, chainId);
  else if ((await driver.commit(key, chainId, chosen)) === 'exists') await driver.remove(key);
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
  else await driver.commit(key, chainId, '');
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
    await driver.commit(key, chainId, '');
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
