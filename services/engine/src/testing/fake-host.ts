import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '@teu/config';
import { teuError } from '@teu/errors';
import type { Events } from '@teu/events';
import { silentLogger } from '@teu/log';
import { waitFor } from '@teu/testing';
import { connect, startRpcServer, type Implementation, type RpcChannel } from '@teu/rpc';
import { engineConfig } from '../config.js';
import { startServer, type EngineServer } from '../server.js';
import { EngineClient } from './engine-client.js';
import { FakeCgroup } from './fake-cgroup.js';
import { FakeDriver } from './fake-driver.js';
import { FakeExecutor } from './fake-executor.js';
import { FakeImage } from './fake-image.js';

/** Name of a service behind the engine. */
export type FakeName = 'image' | 'overlay2' | 'other' | 'cgroup' | 'executor';

/** NATS that never answers: everything must work all the same. */
const noEvents: Events = {
  connected: false,
  link: (signal) =>
    new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error));
    }),
  drop: async () => undefined,
  close: async () => undefined,
};

/** An engine in this process, with fakes of all other services as real gRPC servers. */
export class FakeHost {
  readonly directory = mkdtempSync(join(tmpdir(), 'teu-e-'));
  readonly image = new FakeImage();
  readonly driver = new FakeDriver();
  /** A driver that is not in the configuration, and not started. */
  readonly other = new FakeDriver();
  readonly cgroup = new FakeCgroup();
  readonly executor = new FakeExecutor();
  /** Starts that the engine makes in advance. */
  warmStarts = 0;
  readonly #servers = new Map<FakeName, { close(graceMs?: number): Promise<void> }>();
  #engine: EngineServer | undefined;
  #channel: RpcChannel | undefined;

  constructor() {
    this.driver.committed.add('sha256:layer');
    this.other.committed.add('sha256:layer');
    void this.image.put('busybox', 'sha256:layer', { cmd: ['sleep'], env: ['LANG=C'] });
    this.image.onPrepare = (snapshot, driver) => this.#driver(driver).committed.add(snapshot);
    this.image.onTransplant = ({ driver, key, targetKey, targetParent }) => {
      const { active } = this.#driver(driver);
      if (!active.has(key)) throw teuError('SNAPSHOT_NOT_FOUND', `no snapshot ${key}`);
      if (active.has(targetKey)) throw teuError('SNAPSHOT_EXISTS', `there is ${targetKey}`);
      active.set(targetKey, targetParent);
    };
    this.cgroup.onKill = (id) => this.executor.find({ containerId: id, execId: '' })?.signal(9);
  }

  #driver(name: string): FakeDriver {
    return name === 'other' ? this.other : this.driver;
  }

  /** Starts all fakes and the engine. */
  static async start(): Promise<FakeHost> {
    const host = await FakeHost.withoutEngine();
    await host.startEngine();
    return host;
  }

  /** Starts all fakes, for an engine that runs in a process of its own. */
  static async withoutEngine(): Promise<FakeHost> {
    const host = new FakeHost();
    for (const name of ['image', 'overlay2', 'cgroup', 'executor'] as const) {
      await host.startFake(name);
    }
    return host;
  }

  /** Where the engine keeps its state. */
  get dataDir(): string {
    return join(this.directory, 'data');
  }

  get engine(): EngineServer {
    if (this.#engine === undefined) throw new Error('the engine is not started');
    return this.#engine;
  }

  /** Calls to the engine. */
  get client(): EngineClient {
    if (this.#channel === undefined) throw new Error('the engine is not started');
    return new EngineClient(this.#channel);
  }

  /**
   * Waits until everything that ended containers left is cleared away. What failed because a service was away is tried
   * again after about as long as that was, and after 30 s at most.
   */
  async settled(): Promise<void> {
    await waitFor(() => this.engine.engine.teardown.pending === 0, { timeoutMs: 40_000 });
  }

  /** What the other services hold, by service; nothing when no container is there. */
  holdings(): Record<string, string[]> {
    return {
      snapshots: [...this.driver.active.keys()],
      cgroups: [...this.cgroup.groups.keys()],
      processes: [...this.executor.processes.keys(), ...this.executor.prepared],
    };
  }

  /** Where a fake serves. */
  address(name: FakeName): string {
    return `unix:${join(this.directory, `${name}.sock`)}`;
  }

  async startFake(name: FakeName): Promise<void> {
    const services: Record<FakeName, Implementation[]> = {
      image: [this.image.service],
      overlay2: this.driver.services,
      other: this.other.services,
      cgroup: [this.cgroup.service, this.cgroup.usageService],
      executor: [this.executor.service],
    };
    const server = await startRpcServer({
      name,
      version: '0',
      address: this.address(name),
      services: services[name],
      log: silentLogger,
    });
    this.#servers.set(name, server);
  }

  async stopFake(name: FakeName): Promise<void> {
    await this.#servers.get(name)?.close(0);
    this.#servers.delete(name);
  }

  async startEngine(): Promise<void> {
    const env = {
      TEU_RUN_DIR: this.directory,
      TEU_DATA_DIR: this.dataDir,
      TEU_ENGINE_WARM_STARTS: String(this.warmStarts),
    };
    const config = loadConfig(engineConfig, { env, argv: [] });
    this.#engine = await startServer(config, silentLogger, { events: noEvents });
    this.#channel = connect(this.#engine.address, { serviceName: 'engine' });
  }

  async stopEngine(): Promise<void> {
    this.#channel?.close();
    await this.#engine?.close();
    this.#engine = undefined;
  }

  /** Ends everything and deletes what it wrote. */
  async close(): Promise<void> {
    await this.stopEngine();
    for (const name of [...this.#servers.keys()]) await this.stopFake(name);
    rmSync(this.directory, { recursive: true, force: true });
  }
}
