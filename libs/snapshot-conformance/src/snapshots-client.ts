import { Info, Kind, SnapshotsService, type Mount, type UsageResponse } from '@teu/proto/snapshots';
import type { RpcChannel } from '@teu/rpc';

type Labels = Record<string, string>;

/** Long enough for a commit that writes a disk's worth of data. */
const TIMEOUT_MS = 60_000;

/** Calls the ten methods of any server of the snapshots protocol. */
export class SnapshotsClient {
  readonly #channel: RpcChannel;
  readonly #snapshotter: string;

  /** @param snapshotter - Name that a server of several drivers tells them apart by. */
  constructor(channel: RpcChannel, snapshotter: string) {
    this.#channel = channel;
    this.#snapshotter = snapshotter;
  }

  async prepare(key: string, parent = '', labels: Labels = {}): Promise<Mount[]> {
    const request = { snapshotter: this.#snapshotter, key, parent, labels };
    const { prepare } = SnapshotsService;
    return (await this.#channel.unary(prepare, request, { timeoutMs: TIMEOUT_MS })).mounts;
  }

  async view(key: string, parent = '', labels: Labels = {}): Promise<Mount[]> {
    const request = { snapshotter: this.#snapshotter, key, parent, labels };
    const { view } = SnapshotsService;
    return (await this.#channel.unary(view, request, { timeoutMs: TIMEOUT_MS })).mounts;
  }

  async mounts(key: string): Promise<Mount[]> {
    const request = { snapshotter: this.#snapshotter, key };
    const { mounts } = SnapshotsService;
    return (await this.#channel.unary(mounts, request, { timeoutMs: TIMEOUT_MS })).mounts;
  }

  async commit(name: string, key: string, labels: Labels = {}, parent = ''): Promise<void> {
    const request = { snapshotter: this.#snapshotter, name, key, labels, parent };
    await this.#channel.unary(SnapshotsService.commit, request, { timeoutMs: TIMEOUT_MS });
  }

  async remove(key: string): Promise<void> {
    const request = { snapshotter: this.#snapshotter, key };
    await this.#channel.unary(SnapshotsService.remove, request, { timeoutMs: TIMEOUT_MS });
  }

  async stat(key: string): Promise<Info> {
    const request = { snapshotter: this.#snapshotter, key };
    const { stat } = SnapshotsService;
    const { info } = await this.#channel.unary(stat, request, { timeoutMs: TIMEOUT_MS });
    return info ?? Info.create({ kind: Kind.UNKNOWN });
  }

  async update(name: string, labels: Labels, updateMask?: string[]): Promise<Info> {
    const info = Info.create({ name, labels });
    const request = { snapshotter: this.#snapshotter, info, updateMask };
    const { update } = SnapshotsService;
    const answer = await this.#channel.unary(update, request, { timeoutMs: TIMEOUT_MS });
    return answer.info ?? Info.create({ kind: Kind.UNKNOWN });
  }

  async list(...filters: string[]): Promise<Info[]> {
    const request = { snapshotter: this.#snapshotter, filters };
    const found: Info[] = [];
    for await (const { info } of this.#channel.serverStream(SnapshotsService.list, request)) {
      found.push(...info);
    }
    return found;
  }

  async usage(key: string): Promise<UsageResponse> {
    const request = { snapshotter: this.#snapshotter, key };
    return await this.#channel.unary(SnapshotsService.usage, request, { timeoutMs: TIMEOUT_MS });
  }

  async cleanup(): Promise<void> {
    const request = { snapshotter: this.#snapshotter };
    await this.#channel.unary(SnapshotsService.cleanup, request, { timeoutMs: TIMEOUT_MS });
  }
}
