import { Info, Kind, SnapshotsService, type Mount, type UsageResponse } from '@teu/proto/snapshots';
import type { RpcChannel, UnaryMethod } from '@teu/rpc';
import { patient } from '@teu/testing/patience';

type Labels = Record<string, string>;

/** Long enough for a commit that writes a disk's worth of data. */
const TIMEOUT_MS = 60_000;

/** With it, containerd does not take a snapshot for garbage (docs/garbage-collection.md). */
const ROOT_LABEL = 'containerd.io/gc.root';

/** What a server wants beside the protocol. */
export interface SnapshotsClientOptions {
  /**
   * Marks all snapshots as in use, for containerd's own service, which removes others when it likes.
   * The label is not shown in answers.
   */
  readonly keepFromGarbage?: boolean;
}

/** Calls the ten methods of any server of the snapshots protocol. */
export class SnapshotsClient {
  readonly #channel: RpcChannel;
  readonly #snapshotter: string;
  readonly #ownLabels: Labels;

  /** @param snapshotter - Name that a server of several drivers tells them apart by. */
  constructor(channel: RpcChannel, snapshotter: string, options: SnapshotsClientOptions = {}) {
    this.#channel = channel;
    this.#snapshotter = snapshotter;
    this.#ownLabels = options.keepFromGarbage === true ? { [ROOT_LABEL]: 'conformance' } : {};
  }

  async prepare(key: string, parent = '', labels: Labels = {}): Promise<Mount[]> {
    const request = { key, parent, labels: { ...labels, ...this.#ownLabels } };
    return (await this.#call(SnapshotsService.prepare, request)).mounts;
  }

  async view(key: string, parent = '', labels: Labels = {}): Promise<Mount[]> {
    const request = { key, parent, labels: { ...labels, ...this.#ownLabels } };
    return (await this.#call(SnapshotsService.view, request)).mounts;
  }

  async mounts(key: string): Promise<Mount[]> {
    return (await this.#call(SnapshotsService.mounts, { key })).mounts;
  }

  async commit(name: string, key: string, labels: Labels = {}, parent = ''): Promise<void> {
    const request = { name, key, labels: { ...labels, ...this.#ownLabels }, parent };
    await this.#call(SnapshotsService.commit, request);
  }

  async remove(key: string): Promise<void> {
    await this.#call(SnapshotsService.remove, { key });
  }

  async stat(key: string): Promise<Info> {
    return this.#shown((await this.#call(SnapshotsService.stat, { key })).info);
  }

  async update(name: string, labels: Labels, updateMask?: string[]): Promise<Info> {
    const info = Info.create({ name, labels: { ...labels, ...this.#ownLabels } });
    return this.#shown((await this.#call(SnapshotsService.update, { info, updateMask })).info);
  }

  async list(...filters: string[]): Promise<Info[]> {
    const request = { snapshotter: this.#snapshotter, filters };
    const found: Info[] = [];
    for await (const { info } of this.#channel.serverStream(SnapshotsService.list, request)) {
      found.push(...info.map((each) => this.#shown(each)));
    }
    return found;
  }

  async usage(key: string): Promise<UsageResponse> {
    return await this.#call(SnapshotsService.usage, { key });
  }

  async cleanup(): Promise<void> {
    await this.#call(SnapshotsService.cleanup, {});
  }

  #call<Request extends { snapshotter: string }, Response>(
    method: UnaryMethod<Request, Response>,
    request: Omit<Request, 'snapshotter'>,
  ): Promise<Response> {
    const whole = { ...request, snapshotter: this.#snapshotter } as Request;
    return this.#channel.unary(method, whole, { timeoutMs: patient(TIMEOUT_MS) });
  }

  #shown(info: Info | undefined): Info {
    if (info === undefined) return Info.create({ kind: Kind.UNKNOWN });
    const labels = Object.entries(info.labels).filter(([key]) => !(key in this.#ownLabels));
    return { ...info, labels: Object.fromEntries(labels) };
  }
}
