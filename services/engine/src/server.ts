import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connectEvents, startOutboxPublisher, subjectToken, type Events } from '@teu/events';
import type { Logger } from '@teu/log';
import { startRpcServer } from '@teu/rpc';
import { openEventJournal, openStore } from '@teu/state';
import type { EngineConfig } from './config.js';
import { BaseUpgrades } from './domain/bases/base-upgrades.js';
import { createContainerFiles } from './domain/container-files.js';
import { ContainerRegistry } from './domain/container-registry.js';
import type { Engine } from './domain/engine.js';
import type { EngineParts } from './domain/engine-parts.js';
import { takeInEvents } from './domain/event-intake.js';
import { DriverNews } from './domain/drivers/driver-news.js';
import { DriverRegistry } from './domain/drivers/driver-registry.js';
import { ExecSessions } from './domain/exec-sessions.js';
import { ExitRecorder } from './domain/exit-recorder.js';
import { ExitWatch } from './domain/exit-watch.js';
import { ImageCache } from './domain/image-cache.js';
import { ImageWatch } from './domain/image-watch.js';
import { LogReaders } from './domain/log-readers.js';
import { expireRequests, recover } from './domain/recovery.js';
import { RepeatableRequests } from './domain/repeatable-requests.js';
import { RunUsage } from './domain/run-usage.js';
import { StartActivity } from './domain/start-activity.js';
import { TeardownQueue } from './domain/teardown-queue.js';
import { Freezer } from './domain/freezer.js';
import { LimitUpdates } from './domain/limit-updates.js';
import { WarmPool } from './domain/warm-pool.js';
import './failpoints.js';
import { baseService } from './handlers/base-service.js';
import { containerTreeService } from './handlers/container-tree-service.js';
import { driverRegistryService } from './handlers/driver-registry-service.js';
import { engineService } from './handlers/engine-service.js';
import { connectPeers } from './peers/peers.js';
import { createBaseEditTable } from './store/base-edit-table.js';
import { createBaseUpgradeTable } from './store/base-upgrade-table.js';
import { createContainerTable } from './store/container-table.js';
import { createDriverTable } from './store/driver-table.js';
import { createExecTable } from './store/exec-table.js';
import { createRequestTable } from './store/request-table.js';
import { ENGINE_MIGRATIONS } from './store/schema.js';
import { VERSION } from './version.js';

/** What a test may bring along. */
export interface EngineDependencies {
  /** Way to NATS; made from the configuration if not given. */
  events?: Events;
}

/** An engine that serves. */
export interface EngineServer {
  readonly address: string;
  /** The inside, for tests. */
  readonly engine: Engine;
  close(): Promise<void>;
}

const EXPIRY_INTERVAL_MS = 3600_000;
/** How long an end waits for what the next start can do as well. */
const CLEAR_UP_MS = 2_000;

/** Starts the engine: opens its state, brings it in order, and serves. Waits for no other service. */
export async function startServer(
  config: EngineConfig,
  log: Logger,
  dependencies: EngineDependencies = {},
): Promise<EngineServer> {
  const { engine, recorder } = assemble(config, log);
  const { store, execSessions } = engine;
  try {
    recover(engine, execSessions);
    expireRequests(engine);
    const watch = new ExitWatch(engine, recorder, execSessions);
    watch.start();
    engine.drivers.onStall = (name) => giveUpStarts(engine, name);
    const imageWatch = new ImageWatch(engine, engine.pool);
    imageWatch.start();
    engine.bases.resume();
    engine.freezer.resume();
    engine.limits.resume();
    const server = await startRpcServer({
      name: 'engine',
      version: VERSION,
      address: config.address,
      services: [
        engineService(engine),
        driverRegistryService(engine),
        baseService(engine),
        containerTreeService(engine),
      ],
      log,
    });
    const stopEvents = exchangeEvents(config, engine, dependencies.events);
    const expiry = setInterval(() => expireRequests(engine), EXPIRY_INTERVAL_MS);
    return {
      address: server.address,
      engine,
      close: async () => {
        clearInterval(expiry);
        // What was made in advance goes while the other services are most likely still there.
        const upgrades = within(CLEAR_UP_MS, engine.bases.close());
        await Promise.all([server.close(), within(CLEAR_UP_MS, imageWatch.close()), upgrades]);
        engine.usage.close();
        await watch.close();
        await engine.freezer.close();
        await engine.limits.close();
        await within(CLEAR_UP_MS, engine.teardown.close());
        await stopEvents();
        engine.peers.close();
        engine.drivers.close();
        store.close();
      },
    };
  } catch (error) {
    engine.peers.close();
    engine.drivers.close();
    store.close();
    throw error;
  }
}

/** A driver has begun to give no answers. */
function giveUpStarts({ pool, log }: Engine, driver: string): void {
  log.warn({ driver }, 'a storage driver gives no answers');
  pool.dropDriver(driver).catch((error: unknown) => {
    log.warn({ driver, err: error }, 'starts in advance are not in order');
  });
}

async function within(ms: number, work: Promise<void>): Promise<void> {
  const limit = new AbortController();
  const timeout = delay(ms, undefined, limit).catch(() => undefined);
  await Promise.race([work, timeout]);
  limit.abort();
}

function assemble(config: EngineConfig, log: Logger): { engine: Engine; recorder: ExitRecorder } {
  const directory = join(config.dataDir, 'engine');
  const store = openStore({
    path: join(directory, 'state.db'),
    migrations: ENGINE_MIGRATIONS,
    role: 'engine',
  });
  const peers = connectPeers({
    image: config.imageAddress,
    cgroup: config.cgroupAddress,
    executor: config.executorAddress,
  });
  const table = createDriverTable(store);
  const drivers = new DriverRegistry({ configured: config.drivers, store, table, log });
  const driverNews = new DriverNews(drivers, peers);
  // Volatile, and written anew at every start: on a tmpfs they cost next to nothing.
  const files = createContainerFiles(join(config.runDir, 'files'));
  const readers = new LogReaders();
  const teardown = new TeardownQueue({
    ...{ store, peers, drivers, files, readers, log },
    onFinalMemory: (containerId, report) => recorder.noteFinalMemory(containerId, report),
  });
  const defaults = { pidsLimit: config.pidsLimit };
  const registry = new ContainerRegistry();
  const made = { store, peers, drivers, driverNews, files, readers, teardown, registry };
  const base = { ...made, log, defaults };
  const parts: EngineParts = {
    ...base,
    node: config.node,
    pool: new WarmPool(base, config.warmStarts),
    activity: new StartActivity(),
    usage: new RunUsage(base),
    freezer: new Freezer(base),
    limits: new LimitUpdates(base),
    table: createContainerTable(store),
    requests: createRequestTable(store),
    execs: createExecTable(store),
    upgrades: createBaseUpgradeTable(store),
    edits: createBaseEditTable(store),
    journal: openEventJournal(store, { retain: config.eventsKept }),
    images: new ImageCache(peers, driverNews),
  };
  const execSessions = new ExecSessions(parts);
  const recorder = new ExitRecorder(parts, execSessions);
  const repeatable = new RepeatableRequests(parts);
  const bases = new BaseUpgrades(parts);
  return { engine: { ...parts, execSessions, repeatable, bases, version: VERSION }, recorder };
}

/** Publishes the engine's events and takes in those of the others. Nothing waits for either. */
function exchangeEvents(
  config: EngineConfig,
  engine: Engine,
  given: Events | undefined,
): () => Promise<void> {
  const { natsUrl: url, natsSeedFile: nkeySeedFile } = config;
  const { log, store } = engine;
  const events =
    given ?? connectEvents({ url, service: 'engine', nkeySeedFile, log, ownsStream: true });
  const publisher = startOutboxPublisher({ store, events, log });
  const intake = takeInEvents(engine, events, `engine-${subjectToken(config.node)}`);
  return async () => {
    await intake.close();
    await publisher.close();
    if (given === undefined) await events.close();
  };
}
