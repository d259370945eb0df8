import { connectEvents, startOutboxPublisher, type Events } from '@teu/events';
import { clock } from '@teu/ids';
import type { Logger } from '@teu/log';
import { startRpcServer, type RpcServer } from '@teu/rpc';
import { openStore, type Store } from '@teu/state';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { StorageDriverConfig } from './config.js';
import { DRIVERS, type DriverFactory } from './drivers/index.js';
import {
  implementBranchService,
  implementDriverService,
  implementSnapshots,
} from './implement-services.js';
import { openSnapshots, type StorageDriver } from '@teu/snapshots';
import { VERSION } from './version.js';

/** What a test may bring along. */
export interface StorageDriverDependencies {
  /** Way to NATS; made from the configuration if not given. */
  readonly events?: Events;
}

/** A driver that serves. */
export interface StorageDriverServer {
  readonly address: string;
  close(): Promise<void>;
}

/**
 * Starts a storage driver: checks the host, opens the records, makes records and files agree, and
 * serves.
 *
 * @throws DRIVER_UNSUPPORTED if the driver cannot work on this host or directory
 */
export async function startServer(
  config: StorageDriverConfig,
  log: Logger,
  dependencies: StorageDriverDependencies = {},
): Promise<StorageDriverServer> {
  const root = config.root ?? join(config.dataDir, config.driver);
  mkdirSync(root, { recursive: true, mode: 0o700 });
  const open: DriverFactory = DRIVERS[config.driver];
  const driver: StorageDriver = await open(root, { ...config, log });
  const { name, backingFilesystem, implementation } = driver;
  log.info({ driver: name, backingFilesystem, implementation }, 'the storage driver is open');
  let server: RpcServer | undefined;
  const store = openStore({
    path: join(root, 'state.db'),
    migrations: [],
    role: driver.name,
    // All that writes fails from now on; a start afresh finds out what the disk has kept.
    onFatal: (error) => {
      log.fatal({ err: error }, 'the disk reports errors');
      server?.setServing(false);
    },
  });
  try {
    const snapshots = await openSnapshots({ store, driver, root, log });
    const serving = await startRpcServer({
      name: driver.name,
      version: VERSION,
      address: config.address ?? `unix:${join(config.runDir, `${driver.name}.sock`)}`,
      services: [
        implementSnapshots(snapshots),
        implementDriverService(snapshots, root, { version: VERSION, startTime: clock.now() }),
        ...(driver.branches === undefined ? [] : [implementBranchService(snapshots)]),
      ],
      log,
    });
    server = serving;
    const stopPublishing = publishEvents(config, store, log, dependencies.events);
    return {
      address: serving.address,
      close: async () => {
        await serving.close();
        await stopPublishing();
        await snapshots.close();
        store.close();
      },
    };
  } catch (error) {
    store.close();
    throw error;
  }
}

function publishEvents(
  config: StorageDriverConfig,
  store: Store,
  log: Logger,
  given: Events | undefined,
): () => Promise<void> {
  const { natsUrl: url, natsSeedFile: nkeySeedFile } = config;
  const events = given ?? connectEvents({ url, service: 'storage', nkeySeedFile, log });
  const publisher = startOutboxPublisher({ store, events, log });
  return async () => {
    await publisher.close();
    if (given === undefined) await events.close();
  };
}
