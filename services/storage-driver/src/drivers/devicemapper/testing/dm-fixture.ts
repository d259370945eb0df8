import { silentLogger } from '@teu/log';
import type { RpcChannel } from '@teu/rpc';
import { loadConfig, nativeBinary } from '@teu/config';
import { connect } from '@teu/rpc';
import { mountSnapshot, SnapshotsClient, unmountSnapshot } from '@teu/snapshot-conformance';
import { runProgram, tempDir, type TempDir } from '@teu/testing';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { storageDriverConfig } from '../../../config.js';
import { NativeProgram } from '../../../native-program.js';
import { startServer, type StorageDriverServer } from '../../../server.js';
import { ThinPool } from '../thin-pool.js';
import { SMALL_POOL } from './thin-pools.js';

export const MEBIBYTE = 1 << 20;

/** The driver in this process, with a directory that outlives it, and a pool. */
export class DmFixture {
  readonly directory: TempDir;
  readonly #flags: readonly string[];
  #server: StorageDriverServer | undefined;
  channel!: RpcChannel;
  snapshots!: SnapshotsClient;

  private constructor(flags: readonly string[]) {
    this.directory = tempDir();
    this.#flags = flags;
  }

  /** Makes a directory and starts the driver in it. @param flags - Instead of those of a small pool. */
  static async make(flags: readonly string[] = SMALL_POOL): Promise<DmFixture> {
    const fixture = new DmFixture(flags);
    try {
      await fixture.start();
      return fixture;
    } catch (error) {
      fixture.directory.remove();
      throw error;
    }
  }

  get root(): string {
    return join(this.directory.path, 'devicemapper');
  }

  /** What the driver's file says of its pool. */
  get claim(): { pool: string; owner: number; generation: number } {
    return JSON.parse(readFileSync(join(this.root, 'pool.json'), 'utf8')) as typeof this.claim;
  }

  async start(flags = this.#flags): Promise<void> {
    const { path } = this.directory;
    const own = ['--run-dir', join(path, 'r'), '--data-dir', path, '--driver', 'devicemapper'];
    const config = loadConfig(storageDriverConfig, { env: {}, argv: [...own, ...flags] });
    this.#server = await startServer(config, silentLogger);
    this.channel = connect(this.#server.address);
    this.snapshots = new SnapshotsClient(this.channel, 'devicemapper');
  }

  async stop(): Promise<void> {
    this.channel.close();
    await this.#server?.close();
    this.#server = undefined;
  }

  /** Works on the pool behind the driver's back; the driver may have stopped. */
  async withPool<T>(work: (pool: ThinPool) => Promise<T>): Promise<T> {
    const { pool: name } = this.claim;
    const args = [name, 'ext4', join(this.root, 'pool')];
    const program = new NativeProgram({ driver: 'test', binary: nativeBinary('teu-dm'), args });
    const pool = new ThinPool(name, program);
    try {
      if ((await pool.find()) === undefined) await pool.make(0, 0, 0);
      return await work(pool);
    } finally {
      await pool.close();
    }
  }

  /** Stops everything and leaves nothing. */
  async remove(): Promise<void> {
    if (this.#server !== undefined) await this.stop();
    this.directory.remove();
  }

  /** Mounts, works, unmounts. */
  async withMounted<T>(
    mounts: Parameters<typeof mountSnapshot>[0],
    work: (root: string) => T | Promise<T>,
    name = 'm',
  ): Promise<T> {
    const root = join(this.directory.path, name);
    await mountSnapshot(mounts, root);
    try {
      return await work(root);
    } finally {
      await unmountSnapshot(root);
    }
  }

  async makeLayer(name: string, parent: string, work: (root: string) => unknown): Promise<void> {
    const mounts = await this.snapshots.prepare(`making ${name}`, parent);
    await this.withMounted(mounts, work);
    await this.snapshots.commit(name, `making ${name}`);
  }

  /** Devices of device-mapper, the pool with them. */
  devices(): string[] {
    return readdirSync('/sys/block')
      .filter((name) => name.startsWith('dm-'))
      .map((name) => readFileSync(join('/sys/block', name, 'dm/name'), 'utf8').trim())
      .sort();
  }

  /** Loop devices that are attached. */
  loops(): string[] {
    return readdirSync('/sys/block').filter((name) => existsSync(`/sys/block/${name}/loop`));
  }

  /** What fsck says of the volume of a snapshot that is mounted nowhere. */
  async check(volume: number): Promise<{ code: number; stdout: string }> {
    return await this.withPool(async (pool) => {
      await pool.activate(volume, 'rw');
      return await runProgram('e2fsck', ['-f', '-n', pool.device(volume)]);
    });
  }
}
