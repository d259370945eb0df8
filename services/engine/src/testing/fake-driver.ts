import { teuError } from '@teu/errors';
import {
  Kind,
  SnapshotsService,
  type Mount,
  type PrepareSnapshotRequest,
  type StatSnapshotResponse,
} from '@teu/proto/snapshots';
import {
  Capability,
  CheckSummary,
  Driver,
  DriverServiceService,
  GetDiskUsageResponse,
  type CheckSnapshotsResponse,
  type MergeIntoParentRequest,
  type SetParentRequest,
} from '@teu/proto/storage';
import { implement, type CallContext, type Implementation } from '@teu/rpc';
import { unimplemented } from './unimplemented.js';

/** A storage driver in memory. */
export class FakeDriver {
  /** Names of committed snapshots. */
  readonly committed = new Set<string>();
  /** Active snapshots: key to parent. */
  readonly active = new Map<string, string>();
  /** What the last snapshot was prepared with. */
  lastPrepare: PrepareSnapshotRequest | undefined;
  /** Values of containerd's header for namespaces that calls came with. */
  readonly namespaces = new Set<string>();
  /** Number of Prepare calls. */
  prepares = 0;
  /** Serves only snapshots, as containerd does. */
  isForeign = false;
  /** What it says it can do. */
  capabilities: Capability[] = [Capability.CAPABILITY_CHECK];
  /** What mounts of running containers show; absent for what never changed its parent. */
  readonly shown = new Map<string, string>();
  /** Called before a snapshot gets another parent; may throw. */
  onSetParent: (request: SetParentRequest) => void = () => undefined;
  /** Called after it has; may throw. */
  afterSetParent: (request: SetParentRequest) => void = () => undefined;
  /** Called before a snapshot is merged into its parent; may throw. */
  onMerge: () => void = () => undefined;
  /** Snapshots that were merged into their parents. */
  readonly merged: MergeIntoParentRequest[] = [];
  /** Messages of a check; told one by one as they are asked for. */
  findings = 0;
  /** Messages of checks that went out. */
  sent = 0;
  #hang: PromiseWithResolvers<undefined> | undefined;

  /** Takes calls from now on and answers none. */
  hang(): void {
    this.#hang ??= Promise.withResolvers<undefined>();
  }

  /** Answers again, also what was asked meanwhile. */
  goOn(): void {
    this.#hang?.resolve(undefined);
    this.#hang = undefined;
  }

  get services(): Implementation[] {
    return this.isForeign ? [this.#snapshots()] : [this.#snapshots(), this.#driverService()];
  }

  #snapshots(): Implementation {
    return implement(SnapshotsService, {
      ...unimplemented(SnapshotsService),
      prepare: this.#served(async (request: PrepareSnapshotRequest) => {
        const { key, parent } = request;
        this.prepares += 1;
        this.lastPrepare = request;
        if (!this.committed.has(parent)) {
          throw teuError('SNAPSHOT_NOT_FOUND', `no snapshot ${parent}`);
        }
        if (this.active.has(key)) throw teuError('SNAPSHOT_EXISTS', `there is a snapshot ${key}`);
        this.active.set(key, parent);
        return { mounts: mountsOf(key) };
      }),
      mounts: this.#served(async ({ key }: { key: string }) => {
        this.#require(key);
        return { mounts: mountsOf(key) };
      }),
      stat: this.#served(async ({ key }: { key: string }): Promise<StatSnapshotResponse> => {
        if (!this.committed.has(key)) this.#require(key);
        const kind = this.committed.has(key) ? Kind.COMMITTED : Kind.ACTIVE;
        const times = { createdAt: undefined, updatedAt: undefined };
        const parent = this.active.get(key) ?? '';
        return { info: { name: key, parent, kind, labels: {}, ...times } };
      }),
      remove: this.#served(async ({ key }: { key: string }) => {
        this.#require(key);
        this.active.delete(key);
        this.shown.delete(key);
        return {};
      }),
    });
  }

  #driverService(): Implementation {
    const check = this.#check.bind(this);
    return implement(DriverServiceService, {
      ...unimplemented(DriverServiceService),
      getDriver: this.#served(async () => {
        const { capabilities } = this;
        return { driver: Driver.create({ name: 'fake', version: '0', capabilities }) };
      }),
      getDiskUsage: this.#served(async () => GetDiskUsageResponse.create({ totalBytes: 4096 })),
      setParent: this.#served(async (request: SetParentRequest) => this.#setParent(request)),
      mergeIntoParent: this.#served(async (request: MergeIntoParentRequest) => {
        this.#require(request.key);
        this.onMerge();
        this.merged.push(request);
        return { changedCount: 1 };
      }),
      checkSnapshots: (_request: unknown, { signal }: CallContext) => check(signal),
    });
  }

  #setParent(request: SetParentRequest): { isLive: boolean } {
    const { key, expectedParent, parent } = request;
    this.onSetParent(request);
    this.#require(key);
    if (!this.committed.has(parent)) throw teuError('SNAPSHOT_NOT_FOUND', `no snapshot ${parent}`);
    const present = this.active.get(key);
    if (present !== parent && expectedParent !== '' && present !== expectedParent) {
      throw teuError('CONFLICT', `${key} does not stand on ${expectedParent}`);
    }
    this.active.set(key, parent);
    this.afterSetParent(request);
    const isLive = this.capabilities.includes(Capability.CAPABILITY_LIVE_REPARENT);
    if (isLive) this.shown.set(key, parent);
    return { isLive };
  }

  async *#check(signal: AbortSignal): AsyncGenerator<CheckSnapshotsResponse> {
    for (let i = 0; i < this.findings && !signal.aborted; i += 1) {
      const key = `sha256:${i}`;
      this.sent += 1;
      const detail = 'x'.repeat(10_000);
      yield { part: { $case: 'finding', value: { kind: 1, key, path: '', detail } } };
    }
    const value = CheckSummary.create({ snapshotCount: 1 });
    yield { part: { $case: 'summary', value } };
  }

  /** A handler that notes whose call it is, and does not answer while the driver hangs. */
  #served<Req, Res>(handle: (request: Req) => Promise<Res>) {
    return async (request: Req, { metadata }: CallContext): Promise<Res> => {
      this.namespaces.add(metadata.get('containerd-namespace') ?? '');
      await this.#hang?.promise;
      return handle(request);
    };
  }

  #require(key: string): void {
    if (!this.active.has(key)) throw teuError('SNAPSHOT_NOT_FOUND', `no snapshot ${key}`);
  }
}

function mountsOf(key: string): Mount[] {
  return [{ type: 'bind', source: `/fake/${key}`, target: '', options: ['rbind'] }];
}
