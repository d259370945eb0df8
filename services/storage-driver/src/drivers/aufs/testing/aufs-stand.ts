import { SnapshotsClient, mountSnapshot, unmountSnapshot } from '@teu/snapshot-conformance';
import type { RpcChannel } from '@teu/rpc';
import {
  runProgram,
  startService,
  tempDir,
  type RunningTestService,
  type TempDir,
} from '@teu/testing';
import { mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { endUnions } from './unions-of.js';

/** A driver in a process of its own, which can be ended and started again on the same data. */
export class AufsStand {
  /** Directory of the driver. */
  readonly root: string;
  readonly #directory: TempDir;
  readonly #mounted = new Set<string>();
  #service: RunningTestService | undefined;
  #count = 0;

  constructor() {
    this.#directory = tempDir();
    this.root = join(realpathSync(this.#directory.path), 'd', 'aufs');
  }

  /** @param env - Variables for it, beside those that say where it is. */
  async start(env: Record<string, string> = {}): Promise<void> {
    const { path } = this.#directory;
    const places = { runDir: join(path, 'r'), dataDir: join(realpathSync(path), 'd') };
    this.#service = await startService('aufs', { ...places, env });
  }

  async kill(): Promise<void> {
    this.service.kill('SIGKILL');
    await this.service.exited;
  }

  async stop(): Promise<void> {
    await this.#service?.stop();
  }

  get service(): RunningTestService {
    if (this.#service === undefined) throw new Error('the driver was not started');
    return this.#service;
  }

  get channel(): RpcChannel {
    return this.service.channel;
  }

  get snapshots(): SnapshotsClient {
    return new SnapshotsClient(this.channel, 'aufs');
  }

  /** Directory of a snapshot's own layer, by its number. */
  layer(id: number): string {
    return join(this.root, 'l', id.toString(36));
  }

  /** Mounts a snapshot as a container would, somewhere else, until the end. */
  async mount(key: string): Promise<string> {
    this.#count += 1;
    const place = join(this.#directory.path, `mounted ${this.#count}`);
    await mountSnapshot(await this.snapshots.mounts(key), place);
    this.#mounted.add(place);
    return place;
  }

  async unmount(place: string): Promise<void> {
    this.#mounted.delete(place);
    await unmountSnapshot(place);
  }

  /** Unmounts one mount point of a union and no other. */
  async unmountOnly(path: string): Promise<void> {
    const { code, stderr } = await runProgram('umount', ['--no-canonicalize', path]);
    if (code !== 0) throw new Error(stderr);
  }

  /** Makes a committed layer. */
  async commit(name: string, parent: string, write: (root: string) => void): Promise<void> {
    await this.snapshots.prepare(`making ${name}`, parent);
    const place = await this.mount(`making ${name}`);
    write(place);
    await this.unmount(place);
    await this.snapshots.commit(name, `making ${name}`);
  }

  /** Leaves nothing behind, whatever became of the test. */
  async remove(): Promise<void> {
    for (const place of this.#mounted) await unmountSnapshot(place).catch(() => undefined);
    await this.stop();
    mkdirSync(this.root, { recursive: true });
    await endUnions(this.root);
    this.#directory.remove();
  }
}
