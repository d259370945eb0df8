import { isTeuError, teuError } from '@teu/errors';
import { clock } from '@teu/ids';
import { parseStorageMounts } from '@teu/mounts';
import { SnapshotsService, type Info, type Mount } from '@teu/proto/snapshots';
import {
  Capability,
  DriverServiceService,
  type CheckSnapshotsRequest,
  type CheckSnapshotsResponse,
  type Driver,
  type DriverAddress,
  type GetDiskUsageResponse,
  type RepairSnapshotsRequest,
  type RepairSnapshotsResponse,
  type SetParentRequest,
} from '@teu/proto/storage';
import type { RpcChannel, ServerStreamMethod } from '@teu/rpc';
import { snapshotterOf } from './driver-address.js';
import { DriverConnection, type DriverCall } from './driver-connection.js';

export type { DriverCall } from './driver-connection.js';

/** A driver that shares no blocks copies whole trees. */
const COPY_MS = 2 * 60_000;
/** A commit waits for the disk to take a whole layer, and usage walks over one. */
const WHOLE_LAYER_MS = 15 * 60_000;
/** Label that keeps containerd's garbage collector away (containerd, docs/garbage-collection.md). */
const GC_ROOT_LABEL = 'containerd.io/gc.root';
const NAMESPACE_HEADER = 'containerd-namespace';

type Labels = Record<string, string>;

/** A snapshot to be made on a committed one, or on none. */
export interface NewSnapshot {
  key: string;
  /** Name of a committed snapshot; empty for none. */
  parent: string;
  labels?: Labels;
}

/**
 * A storage driver: any server of containerd's snapshots protocol. Connects with the first call. Calls that get no
 * answer fail with DRIVER_UNAVAILABLE, and say which driver it was and how long was waited; what a driver says of its
 * own, it says to the caller.
 */
export class DriverClient {
  readonly name: string;
  readonly address: DriverAddress;
  readonly #connection: DriverConnection;
  readonly #snapshotter: string;

  /** @param options.onStall told when the driver has begun to give no answers */
  constructor(address: DriverAddress, options: { onStall?: () => void } = {}) {
    const { name, namespace } = address;
    this.name = name;
    this.address = address;
    this.#snapshotter = snapshotterOf(address);
    this.#connection = new DriverConnection({
      name,
      address: address.address,
      snapshotter: this.#snapshotter,
      headers: namespace === '' ? {} : { [NAMESPACE_HEADER]: namespace },
      onStall: options.onStall ?? (() => undefined),
    });
  }

  /** For calls that are not about snapshots, such as health checks. */
  get channel(): RpcChannel {
    return this.#connection.channel;
  }

  /** Whether the driver gave no answer when it was last asked. */
  get isStalled(): boolean {
    return this.#connection.isStalled;
  }

  /** Makes a writable snapshot and gives its mounts. */
  async prepare(snapshot: NewSnapshot, call: DriverCall = {}): Promise<Mount[]> {
    const request = this.#newSnapshot(snapshot);
    const options = { timeoutMs: COPY_MS, ...call };
    const answer = await this.#connection.callSlow(SnapshotsService.prepare, request, options);
    return this.#mountable(answer.mounts, snapshot.key);
  }

  /** Makes a snapshot for looking only and gives its mounts. */
  async view(snapshot: NewSnapshot, call: DriverCall = {}): Promise<Mount[]> {
    const request = this.#newSnapshot(snapshot);
    const options = { timeoutMs: COPY_MS, ...call };
    const answer = await this.#connection.callSlow(SnapshotsService.view, request, options);
    return this.#mountable(answer.mounts, snapshot.key);
  }

  /** Gives the mounts of a snapshot that is prepared or a view. */
  async mounts(key: string, call?: DriverCall): Promise<Mount[]> {
    const request = { snapshotter: this.#snapshotter, key };
    const answer = await this.#connection.call(SnapshotsService.mounts, request, call);
    return this.#mountable(answer.mounts, key);
  }

  /**
   * Makes a prepared snapshot one that others can stand on, under another name.
   *
   * @param call.parent Committed snapshot to put it on; only for one that was prepared without, in a driver with
   *   CAPABILITY_REBASE
   */
  async commit(
    key: string,
    name: string,
    { parent = '', ...call }: DriverCall & { parent?: string } = {},
  ): Promise<void> {
    const labels = this.#labels(undefined);
    const request = { snapshotter: this.#snapshotter, key, name, labels, parent };
    const options = { timeoutMs: WHOLE_LAYER_MS, ...call };
    await this.#connection.callSlow(SnapshotsService.commit, request, options);
  }

  async remove(key: string, call: DriverCall = {}): Promise<void> {
    const request = { snapshotter: this.#snapshotter, key };
    const options = { timeoutMs: COPY_MS, ...call };
    await this.#connection.callSlow(SnapshotsService.remove, request, options);
  }

  /** Describes a snapshot; undefined if it is not there. */
  async stat(key: string, call?: DriverCall): Promise<Info | undefined> {
    const request = { snapshotter: this.#snapshotter, key };
    try {
      return (await this.#connection.call(SnapshotsService.stat, request, call)).info;
    } catch (error) {
      if (isTeuError(error) && error.status === 'NOT_FOUND') return undefined;
      throw error;
    }
  }

  /** Bytes and inodes of a snapshot's own, parents excluded. */
  async usage(key: string, call: DriverCall = {}): Promise<{ size: number; inodes: number }> {
    const request = { snapshotter: this.#snapshotter, key };
    const options = { timeoutMs: WHOLE_LAYER_MS, ...call };
    return this.#connection.callSlow(SnapshotsService.usage, request, options);
  }

  /** What the driver says of itself; undefined if it is a foreign snapshotter, which can't say. */
  async describe(call: DriverCall = {}): Promise<Driver | undefined> {
    try {
      return (await this.#connection.inquire(DriverServiceService.getDriver, {}, call)).driver;
    } catch (error) {
      if (isTeuError(error, 'UNIMPLEMENTED')) return undefined;
      throw error;
    }
  }

  /**
   * Finds out whether snapshots are served, and what the driver says of itself. Asks also when the driver gave no
   * answer a moment ago.
   */
  async probe(call: DriverCall = {}): Promise<Driver | undefined> {
    const [driver] = await Promise.all([this.describe(call), this.#connection.ping(call)]);
    return driver;
  }

  /** @throws FEATURE_UNSUPPORTED if the driver does not declare the capability, or can't declare any */
  async require(capability: Capability, what: string, call: DriverCall = {}): Promise<void> {
    const driver = await this.describe(call);
    if (driver === undefined) throw this.#isForeign(what);
    if (driver.capabilities.includes(capability)) return;
    throw this.#unsupported(`the storage driver ${this.name} does not ${what}`);
  }

  /** How much disk the driver uses. @throws FEATURE_UNSUPPORTED if it is a foreign snapshotter */
  async diskUsage(call: DriverCall = {}): Promise<GetDiskUsageResponse> {
    const options = { timeoutMs: WHOLE_LAYER_MS, ...call };
    try {
      return await this.#connection.callSlow(DriverServiceService.getDiskUsage, {}, options);
    } catch (error) {
      throw isTeuError(error, 'UNIMPLEMENTED') ? this.#isForeign('add up its disk use') : error;
    }
  }

  /**
   * Puts a prepared snapshot on another parent. May be repeated.
   * @returns whether mounts that exist show the new parent
   * @throws FEATURE_UNSUPPORTED, SNAPSHOT_NOT_FOUND, INVALID_STATE, CONFLICT if it stands on another parent than expected
   */
  async setParent(request: SetParentRequest, call: DriverCall = {}): Promise<boolean> {
    const options = { timeoutMs: COPY_MS, ...call };
    const { setParent } = DriverServiceService;
    return (await this.#connection.callSlow(setParent, request, options)).isLive;
  }

  /**
   * Puts what was written to a prepared snapshot into its parent, for all that stand on that. May be repeated: the
   * snapshot is empty afterwards.
   * @returns number of names of the parent that were changed
   * @throws FEATURE_UNSUPPORTED, SNAPSHOT_NOT_FOUND, INVALID_STATE, CONFLICT if it stands on another parent than expected
   */
  async mergeIntoParent(
    key: string,
    expectedParent: string,
    call: DriverCall = {},
  ): Promise<number> {
    const options = { timeoutMs: WHOLE_LAYER_MS, ...call };
    const { mergeIntoParent } = DriverServiceService;
    const request = { key, expectedParent };
    return (await this.#connection.callSlow(mergeIntoParent, request, options)).changedCount;
  }

  /**
   * Puts what is in a prepared snapshot in the place of a committed one, for all that stand on that.
   * @throws FEATURE_UNSUPPORTED, SNAPSHOT_NOT_FOUND, INVALID_STATE, CONFLICT if they do not stand on the same parent
   */
  async replace(key: string, name: string, call: DriverCall = {}): Promise<void> {
    const options = { timeoutMs: WHOLE_LAYER_MS, ...call };
    const { replaceSnapshot } = DriverServiceService;
    try {
      await this.#connection.callSlow(replaceSnapshot, { key, name }, options);
    } catch (error) {
      throw isTeuError(error, 'UNIMPLEMENTED') ? this.#isForeign('replace a snapshot') : error;
    }
  }

  /** Waits until what was removed before is freed. */
  async cleanup(call: DriverCall = {}): Promise<void> {
    const request = { snapshotter: this.#snapshotter };
    const options = { timeoutMs: COPY_MS, ...call };
    await this.#connection.callSlow(SnapshotsService.cleanup, request, options);
  }

  /** Keys and names of the snapshots that stand on one. */
  async children(name: string, signal?: AbortSignal): Promise<string[]> {
    const request = {
      snapshotter: this.#snapshotter,
      filters: [`parent==${JSON.stringify(name)}`],
    };
    const found: string[] = [];
    const own = signal ?? new AbortController().signal;
    for await (const { info } of this.#stream(SnapshotsService.list, request, own)) {
      found.push(...info.map(({ name: key }) => key));
    }
    return found;
  }

  /** Has it check its snapshots. @throws FEATURE_UNSUPPORTED if it does not do that */
  async *check(
    request: CheckSnapshotsRequest,
    signal: AbortSignal,
  ): AsyncGenerator<CheckSnapshotsResponse> {
    await this.require(Capability.CAPABILITY_CHECK, 'check its snapshots', { signal });
    yield* this.#stream(DriverServiceService.checkSnapshots, request, signal);
  }

  /** Has it repair its snapshots. @throws FEATURE_UNSUPPORTED if it does not do that */
  async *repair(
    request: RepairSnapshotsRequest,
    signal: AbortSignal,
  ): AsyncGenerator<RepairSnapshotsResponse> {
    await this.require(Capability.CAPABILITY_CHECK, 'repair its snapshots', { signal });
    yield* this.#stream(DriverServiceService.repairSnapshots, request, signal);
  }

  /** Ends the connection; calls that run go on to their end. */
  close(): void {
    this.#connection.channel.close();
  }

  /** Refuses here what nobody could mount, where driver and snapshot are known. @throws UNSUPPORTED_MOUNT */
  #mountable(mounts: Mount[], snapshot: string): Mount[] {
    parseStorageMounts(mounts, { driver: this.name, snapshot });
    return mounts;
  }

  #newSnapshot({ key, parent, labels }: NewSnapshot) {
    return { snapshotter: this.#snapshotter, key, parent, labels: this.#labels(labels) };
  }

  #labels(labels: Labels | undefined): Labels {
    if (this.address.namespace === '') return labels ?? {};
    // A time, as containerd's own tools write it; what counts is that the label is there.
    return { [GC_ROOT_LABEL]: clock.now().toISOString(), ...labels };
  }

  async *#stream<Req, Res>(
    method: ServerStreamMethod<Req, Res>,
    request: Req,
    signal: AbortSignal,
  ): AsyncGenerator<Res> {
    const begin = performance.now();
    try {
      yield* this.channel.serverStream(method, request, { signal });
    } catch (error) {
      throw this.#connection.named(error, performance.now() - begin);
    }
  }

  #isForeign(what: string): Error {
    return this.#unsupported(
      `the storage driver ${this.name} is a foreign snapshotter, which does not ${what}`,
    );
  }

  #unsupported(text: string): Error {
    return teuError('FEATURE_UNSUPPORTED', text, { metadata: { driver: this.name } });
  }
}
