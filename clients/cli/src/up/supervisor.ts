import { performance } from 'node:perf_hooks';
import type { Logger } from '@teu/log';
import { clientVersion, startTimeoutOf, type Directories } from '../config.js';
import type { Environment } from '../context.js';
import type { DriverKind } from '../driver-kinds.js';
import { ManagedProcess } from './managed-process.js';
import { planNats } from './nats-program.js';
import { nodeCommand, serviceEnvironment } from './node-process.js';
import { identityOf, type ProcessIdentity } from './process-identity.js';
import { serviceHealth } from './probe.js';
import { serviceTable, type ServiceDefinition } from './service-table.js';
import { writeUpRecord } from './up-record.js';

const stopGraceMs = 8000;
const probeTimeoutMs = 3000;

/** What is told while the engine comes up. */
export type UpEvent =
  | {
      readonly kind: 'service';
      readonly name: string;
      readonly ready: boolean;
      readonly ms: number;
    }
  | { readonly kind: 'drivers'; readonly drivers: readonly string[]; readonly why: string }
  | { readonly kind: 'note'; readonly text: string }
  | { readonly kind: 'ready'; readonly ms: number }
  | { readonly kind: 'failed'; readonly text: string };

/** What the supervisor needs. */
export interface SupervisorOptions {
  readonly directories: Directories;
  readonly env: Environment;
  /** The default one first. */
  readonly storageDrivers: readonly DriverKind[];
  readonly log: Logger;
  readonly report: (event: UpEvent) => void;
}

/** Starts NATS and the services, keeps them running, and stops them. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #processes: ManagedProcess[] = [];
  readonly #resident: ProcessIdentity;
  #nats: ManagedProcess | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    const own = identityOf(process.pid);
    if (own === undefined) throw new Error('/proc does not know this process');
    this.#resident = own;
  }

  /** Starts all beside each other. Returns the names of those that did not become ready. */
  async start(): Promise<string[]> {
    const { directories, env, storageDrivers } = this.#options;
    const nats = await planNats(directories, env);
    const jobs: Promise<string | undefined>[] = [];
    if (nats.program !== undefined) {
      this.#nats = this.#manage(nats.program);
      jobs.push(this.#launch(this.#nats));
    } else if (env['TEU_NATS_URL'] === undefined) {
      this.#options.report({
        kind: 'note',
        text: 'nats-server is not installed: events stay in this engine (apt install nats-server)',
      });
    }
    const environment = serviceEnvironment(env, {
      TEU_RUN_DIR: directories.runDir,
      TEU_DATA_DIR: directories.dataDir,
      TEU_NATS_URL: nats.url,
      NODE_COMPILE_CACHE: `${directories.dataDir}/cache/node`,
    });
    for (const service of serviceTable(directories, storageDrivers)) {
      const managed = this.#manage(this.#programOf(service, environment));
      this.#processes.push(managed);
      jobs.push(this.#launch(managed));
    }
    const failed = await Promise.all(jobs);
    // NATS carries only news: without it everything works.
    return failed.filter((name) => name !== undefined && name !== 'nats') as string[];
  }

  /** Stops all, from the last to the first; NATS at the very end, so that it gets the last events. */
  async stop(): Promise<void> {
    const [engine, ...others] = [...this.#processes].reverse();
    await engine?.stop(stopGraceMs);
    await Promise.all(others.map((managed) => managed.stop(stopGraceMs)));
    await this.#nats?.stop(stopGraceMs);
  }

  #programOf(service: ServiceDefinition, env: Record<string, string>) {
    const { program, args } = nodeCommand(service.bundle);
    return {
      name: service.name,
      program,
      args: [...args, ...service.args],
      env,
      address: `unix:${service.socket}`,
      version: clientVersion,
      dataDir: this.#options.directories.dataDir,
      startTimeoutMs: startTimeoutOf(this.#options.env),
      probe: async () => (await serviceHealth(service.socket, probeTimeoutMs)) === 'SERVING',
    };
  }

  #manage(program: ConstructorParameters<typeof ManagedProcess>[0]): ManagedProcess {
    const events = {
      changed: () => {
        this.#record();
      },
    };
    return new ManagedProcess(program, events, this.#options.log);
  }

  async #launch(managed: ManagedProcess): Promise<string | undefined> {
    const begin = performance.now();
    const ready = await managed.start();
    const ms = performance.now() - begin;
    this.#options.report({ kind: 'service', name: managed.name, ready, ms });
    return ready ? undefined : managed.name;
  }

  #record(): void {
    const { directories, storageDrivers } = this.#options;
    const all = this.#nats === undefined ? this.#processes : [this.#nats, ...this.#processes];
    writeUpRecord({
      resident: this.#resident,
      ...directories,
      storageDrivers,
      services: all.map((managed) => managed.record()),
    });
  }
}
