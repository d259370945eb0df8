import type { DriverCall, DriverClient } from '@teu/driver-client';
import { isTeuError, type StatusName } from '@teu/errors';
import { parseStorageMounts, type ParsedMount } from '@teu/mounts';
import { Kind, type Mount } from '@teu/proto/snapshots';
import { Capability, FindingKind, WhiteoutForm } from '@teu/proto/storage';

/** What a snapshot is, and the one that it stands on. */
export interface SnapshotFacts {
  kind: 'active' | 'view' | 'committed';
  /** Name of a committed snapshot; empty for none. */
  parent: string;
}

/** What a driver found out about a snapshot. */
export interface SnapshotCheck {
  /** What is wrong, for people: the first few things. Empty if nothing is. */
  findings: string[];
  /** Whether all of it is gone. */
  isMissing: boolean;
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
  /**
   * Puts a writable snapshot in the place of a committed one, for all that stand on that.
   * @throws FEATURE_UNSUPPORTED if the driver can't
   */
  replace(key: string, name: string): Promise<void>;
  /** Keys and names of what stands on a snapshot. */
  children(name: string): Promise<string[]>;
  /** Waits until what was removed is freed. */
  cleanup(signal: AbortSignal): Promise<void>;
  /** Whether it can compare snapshots with what was committed. */
  canCheck(signal: AbortSignal): Promise<boolean>;
  /** Whether it can put a snapshot in the place of a committed one. */
  canReplace(): Promise<boolean>;
  /** Compares a committed snapshot with what was committed. */
  check(name: string, readData: boolean, signal: AbortSignal): Promise<SnapshotCheck>;
  /** Lets nothing stand on a snapshot any more that is not as it was committed. */
  quarantine(name: string, signal: AbortSignal): Promise<void>;
}

/** Findings of a check that are told; the others are the same story. */
const TOLD_FINDINGS_MAX = 3;

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
    replace: (key, name) => client.replace(key, name),
    children: (key) => client.children(key),
    cleanup: (signal) => client.cleanup({ signal }),
    canCheck: (signal) => can(client, Capability.CAPABILITY_CHECK, { signal }),
    canReplace: () => can(client, Capability.CAPABILITY_REPLACE, {}),
    check: (key, readData, signal) => check(client, key, readData, signal),
    quarantine: async (key, signal) => {
      // What it tells is known from the check; what counts is that it has come to its end.
      const repairs = client.repair({ key, readData: true }, signal);
      while ((await repairs.next()).done !== true);
    },
  };
}

async function check(
  client: DriverClient,
  key: string,
  readData: boolean,
  signal: AbortSignal,
): Promise<SnapshotCheck> {
  const told: string[] = [];
  let count = 0;
  let isMissing = false;
  for await (const { part } of client.check({ key, readData }, signal)) {
    if (part?.$case !== 'finding') continue;
    count += 1;
    const { kind, path, detail } = part.value;
    isMissing ||= kind === FindingKind.FINDING_KIND_MISSING_STORAGE;
    const text = path === '' ? detail : `${JSON.stringify(path)}: ${detail}`;
    if (told.length < TOLD_FINDINGS_MAX) told.push(text);
  }
  if (count > told.length) told.push(`and ${count - told.length} more`);
  return { findings: told, isMissing };
}

async function can(
  client: DriverClient,
  capability: Capability,
  call: DriverCall,
): Promise<boolean> {
  return (await client.describe(call))?.capabilities.includes(capability) ?? false;
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
