import type { DriverClient } from '@teu/driver-client';
import { isTeuError, type StatusName } from '@teu/errors';
import { parseStorageMounts, type ParsedMount } from '@teu/mounts';
import { Kind, type Mount } from '@teu/proto/snapshots';
import { Capability, WhiteoutForm } from '@teu/proto/storage';

/** What a snapshot is, and the one that it stands on. */
export interface SnapshotFacts {
  kind: 'active' | 'view' | 'committed';
  /** Name of a committed snapshot; empty for none. */
  parent: string;
}

/** A storage driver as somebody sees it who unpacks layers and looks into trees. */
export interface LayerDriver {
  readonly name: string;
  /** Whether a committed snapshot has this name. */
  hasCommitted(name: string): Promise<boolean>;
  /** Undefined if there is none of this key or name. */
  describe(key: string): Promise<SnapshotFacts | undefined>;
  /** Makes a snapshot for looking only. */
  view(key: string, parent: string): Promise<ParsedMount[]>;
  /** How a snapshot that is active or a view is mounted. */
  mounts(key: string): Promise<ParsedMount[]>;
  /** Makes a writable snapshot for somebody else. */
  prepareFor(
    key: string,
    parent: string,
    labels: Readonly<Record<string, string>>,
  ): Promise<ParsedMount[]>;
  /** Makes a writable snapshot; undefined if the driver answers that it has the layer already. */
  prepare(
    key: string,
    parent: string,
    chainId: string | undefined,
  ): Promise<ParsedMount[] | undefined>;
  /** Whether a layer can be unpacked without its parent, which is then named at the commit. */
  canStandAlone(): Promise<boolean>;
  /**
   * "exists" if another has committed the same layer meanwhile; the key is then still there.
   * @param parent - Of a snapshot that was prepared without one; empty to leave it.
   */
  commit(key: string, name: string, parent: string): Promise<'committed' | 'exists'>;
  /** "in use" if others stand on it. A snapshot that is not there counts as removed. */
  remove(key: string, signal?: AbortSignal): Promise<'removed' | 'in use'>;
  /** Bytes on disk, parents excluded. */
  usage(name: string): Promise<number>;
}

/** Label by which drivers that fetch layers by themselves recognise the layer, to answer ALREADY_EXISTS. */
const LAYER_LABEL = 'containerd.io/snapshot.ref';

/** Gives a driver the verbs of layers. */
export function layerDriver(client: DriverClient): LayerDriver {
  const parse = (mounts: Mount[], snapshot: string): ParsedMount[] =>
    parseStorageMounts(mounts, { driver: client.name, snapshot });
  return {
    name: client.name,
    hasCommitted: async (key) => (await client.stat(key))?.kind === Kind.COMMITTED,
    describe: (key) => describe(client, key),
    view: async (key, parent) => parse(await client.view({ key, parent }), key),
    mounts: async (key) => parse(await client.mounts(key), key),
    prepareFor: async (key, parent, labels) => {
      return parse(await client.prepare({ key, parent, labels: { ...labels } }), key);
    },
    prepare: (key, parent, chainId) => prepare(client, key, parent, chainId),
    canStandAlone: () => canStandAlone(client),
    commit: async (key, name, parent) => {
      const done = await unless('ALREADY_EXISTS', client.commit(key, name, { parent }));
      return done ? 'committed' : 'exists';
    },
    remove: (key, signal) => remove(client, key, signal),
    usage: async (key) => (await client.usage(key)).size,
  };
}

/** Only what hides nothing is unpacked so, but as overlayfs stacks it: the highest that is no directory hides all below. */
async function canStandAlone(client: DriverClient): Promise<boolean> {
  const driver = await client.describe();
  return (
    driver?.capabilities.includes(Capability.CAPABILITY_REBASE) === true &&
    driver.whiteoutForm === WhiteoutForm.WHITEOUT_FORM_OVERLAY
  );
}

async function describe(client: DriverClient, key: string): Promise<SnapshotFacts | undefined> {
  const info = await client.stat(key);
  if (info === undefined) return undefined;
  const { parent } = info;
  if (info.kind === Kind.COMMITTED) return { kind: 'committed', parent };
  return { kind: info.kind === Kind.VIEW ? 'view' : 'active', parent };
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
