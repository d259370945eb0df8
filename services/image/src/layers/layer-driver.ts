import type { DriverClient } from '@teu/driver-client';
import { isTeuError, type StatusName } from '@teu/errors';
import { parseStorageMounts, type ParsedMount } from '@teu/mounts';
import { Kind } from '@teu/proto/snapshots';

/** A storage driver as somebody sees it who unpacks layers. */
export interface LayerDriver {
  readonly name: string;
  /** Whether a committed snapshot has this name. */
  hasCommitted(name: string): Promise<boolean>;
  /** Makes a writable snapshot; undefined if the driver answers that it has the layer already. */
  prepare(
    key: string,
    parent: string,
    chainId: string | undefined,
  ): Promise<ParsedMount[] | undefined>;
  /** "exists" if another has committed the same layer meanwhile; the key is then still there. */
  commit(key: string, name: string): Promise<'committed' | 'exists'>;
  /** "in use" if others stand on it. A snapshot that is not there counts as removed. */
  remove(key: string, signal?: AbortSignal): Promise<'removed' | 'in use'>;
  /** Bytes on disk, parents excluded. */
  usage(name: string): Promise<number>;
}

/** Label by which drivers that fetch layers by themselves recognise the layer, to answer ALREADY_EXISTS. */
const LAYER_LABEL = 'containerd.io/snapshot.ref';

/** Gives a driver the verbs of layers. */
export function layerDriver(client: DriverClient): LayerDriver {
  return {
    name: client.name,
    hasCommitted: async (key) => (await client.stat(key))?.kind === Kind.COMMITTED,
    prepare: (key, parent, chainId) => prepare(client, key, parent, chainId),
    commit: async (key, name) => {
      const done = await unless('ALREADY_EXISTS', client.commit(key, name));
      return done ? 'committed' : 'exists';
    },
    remove: (key, signal) => remove(client, key, signal),
    usage: async (key) => (await client.usage(key)).size,
  };
}

async function prepare(
  client: DriverClient,
  key: string,
  parent: string,
  chainId: string | undefined,
): Promise<ParsedMount[] | undefined> {
  const labels: Record<string, string> = chainId === undefined ? {} : { [LAYER_LABEL]: chainId };
  try {
    const mounts = await client.prepare({ key, parent, labels });
    return parseStorageMounts(mounts, { driver: client.name, snapshot: key });
  } catch (error) {
    if (chainId !== undefined && hasStatus(error, 'ALREADY_EXISTS')) return undefined;
    throw error;
  }
}

async function remove(
  client: DriverClient,
  key: string,
  signal: AbortSignal | undefined,
): Promise<'removed' | 'in use'> {
  try {
    await client.remove(key, signal === undefined ? {} : { signal });
    return 'removed';
  } catch (error) {
    if (hasStatus(error, 'NOT_FOUND')) return 'removed';
    if (hasStatus(error, 'FAILED_PRECONDITION')) return 'in use';
    throw error;
  }
}

async function unless(status: StatusName, call: Promise<void>): Promise<boolean> {
  try {
    await call;
    return true;
  } catch (error) {
    if (hasStatus(error, status)) return false;
    throw error;
  }
}

function hasStatus(error: unknown, status: StatusName): boolean {
  return isTeuError(error) && error.status === status;
}
