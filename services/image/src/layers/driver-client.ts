import { isTeuError, teuError, type StatusName } from '@teu/errors';
import { parseMount, type ParsedMount } from '@teu/mounts';
import { Kind, SnapshotsService, type Mount } from '@teu/proto/snapshots';
import { connect, type RpcChannel } from '@teu/rpc';

const QUICK_MS = 30_000;
// A commit waits for the disk to take the whole layer.
const COMMIT_MS = 15 * 60_000;

/** A storage driver: any server of containerd's snapshots protocol. */
export interface DriverClient {
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
  remove(key: string): Promise<'removed' | 'in use'>;
  /** Bytes on disk, parents excluded. */
  usage(name: string): Promise<number>;
  close(): void;
}

/** Connects when it is first needed. `address` is that of the driver's socket. */
export function connectDriver(name: string, address: string): DriverClient {
  let open: RpcChannel | undefined;
  const channel = (): RpcChannel => (open ??= connect(address, { serviceName: name }));
  return {
    name,
    hasCommitted: (key) => hasCommitted(channel(), name, key),
    prepare: (key, parent, chainId) => prepare(channel(), name, key, parent, chainId),
    commit: (key, committedName) => commit(channel(), name, key, committedName),
    remove: (key) => remove(channel(), name, key),
    usage: async (key) => {
      const options = { timeoutMs: COMMIT_MS };
      return (await channel().unary(SnapshotsService.usage, { snapshotter: name, key }, options))
        .size;
    },
    close: () => open?.close(),
  };
}

async function hasCommitted(channel: RpcChannel, driver: string, key: string): Promise<boolean> {
  const request = { snapshotter: driver, key };
  try {
    const { info } = await channel.unary(SnapshotsService.stat, request, { timeoutMs: QUICK_MS });
    return info?.kind === Kind.COMMITTED;
  } catch (error) {
    if (hasStatus(error, 'NOT_FOUND')) return false;
    throw unreachable(driver, error);
  }
}

async function prepare(
  channel: RpcChannel,
  driver: string,
  key: string,
  parent: string,
  chainId: string | undefined,
): Promise<ParsedMount[] | undefined> {
  // Drivers that fetch layers by themselves recognise the layer by this label and answer ALREADY_EXISTS.
  const labels: Record<string, string> =
    chainId === undefined ? {} : { 'containerd.io/snapshot.ref': chainId };
  const request = { snapshotter: driver, key, parent, labels };
  try {
    const { mounts } = await channel.unary(SnapshotsService.prepare, request, {
      timeoutMs: QUICK_MS,
    });
    return mounts.map(toParsed);
  } catch (error) {
    if (chainId !== undefined && hasStatus(error, 'ALREADY_EXISTS')) return undefined;
    throw unreachable(driver, error);
  }
}

async function commit(
  channel: RpcChannel,
  driver: string,
  key: string,
  name: string,
): Promise<'committed' | 'exists'> {
  const request = { snapshotter: driver, key, name, labels: {}, parent: '' };
  try {
    await channel.unary(SnapshotsService.commit, request, { timeoutMs: COMMIT_MS });
    return 'committed';
  } catch (error) {
    if (hasStatus(error, 'ALREADY_EXISTS')) return 'exists';
    throw unreachable(driver, error);
  }
}

async function remove(
  channel: RpcChannel,
  driver: string,
  key: string,
): Promise<'removed' | 'in use'> {
  const request = { snapshotter: driver, key };
  try {
    await channel.unary(SnapshotsService.remove, request, { timeoutMs: QUICK_MS });
    return 'removed';
  } catch (error) {
    if (hasStatus(error, 'NOT_FOUND')) return 'removed';
    if (hasStatus(error, 'FAILED_PRECONDITION')) return 'in use';
    throw unreachable(driver, error);
  }
}

function toParsed(mount: Mount, index: number): ParsedMount {
  return parseMount(mount, `mounts[${index}] of the storage driver`);
}

function hasStatus(error: unknown, status: StatusName): boolean {
  return isTeuError(error) && error.status === status;
}

/** Says which driver it was; a driver's own reasons pass. */
function unreachable(driver: string, error: unknown): unknown {
  if (!isTeuError(error) || error.status !== 'UNAVAILABLE') return error;
  return teuError('DRIVER_UNAVAILABLE', `the storage driver ${driver} does not answer`, {
    metadata: { driver },
    cause: error,
  });
}
