import { hostname } from 'node:os';
import { join } from 'node:path';
import { nativeBinary } from '@teu/config';
import { connectEvents, startOutboxPublisher } from '@teu/events';
import { defineFailpoints } from '@teu/failpoint';
import type { Logger } from '@teu/log';
import { ImageServiceService } from '@teu/proto/image';
import { implement, startRpcServer } from '@teu/rpc';
import { openStore, type Store } from '@teu/state';
import type { ImageServiceConfig } from './config.js';
import { ImageWatchers } from './domain/image-watchers.js';
import { createKeyedMutex } from './domain/keyed-mutex.js';
import { createPins } from './domain/pins.js';
import { IMAGE_FAILPOINTS } from './failpoints.js';
import { createImageHandlers } from './handlers/index.js';
import { createDrivers, type Drivers } from './layers/drivers.js';
import { createLayerWorker } from './layers/layer-worker.js';
import { createUnpacker } from './layers/unpacker.js';
import { createImageEvents } from './operations/image-events.js';
import type { ImageParts } from './operations/image-parts.js';
import { recover } from './operations/recover.js';
import { createBlobStore } from './store/blob-store.js';
import { createImageStore } from './store/image-store.js';
import { IMAGE_MIGRATIONS } from './store/schema.js';
import { createSnapshotTable } from './store/snapshot-table.js';

/** The running service. */
export interface ImageServer {
  address: string;
  /** Resolves once everything that a crash had left is gone, which may need the storage drivers. */
  recovered: Promise<void>;
  close(): Promise<void>;
}

/** What tests replace. */
export interface ImageServerDependencies {
  log: Logger;
  drivers?: Drivers;
}

/** Opens the state, recovers what a crash left, and serves. */
export async function startServer(
  config: ImageServiceConfig,
  { log, drivers = createDrivers(config.runDir, config.defaultDriver) }: ImageServerDependencies,
): Promise<ImageServer> {
  defineFailpoints('image', IMAGE_FAILPOINTS);
  const directory = join(config.dataDir, 'image');
  const store = openStore({ path: join(directory, 'state.db'), migrations: IMAGE_MIGRATIONS });
  const closing = new AbortController();
  try {
    const parts = assemble(config, directory, store, drivers, log);
    const recovered = recover(parts, closing.signal);
    const server = await startRpcServer({
      name: 'image',
      version: '0.1.0',
      address: config.address,
      services: [
        implement(ImageServiceService, createImageHandlers(parts, config), {
          longRunning: ['prepareImage', 'removeImage'],
        }),
      ],
      log,
    });
    const events = connectEvents({
      url: config.natsUrl,
      service: 'image',
      nkeySeedFile: config.natsSeedFile,
      log,
    });
    const publisher = startOutboxPublisher({ store, events, log });
    return {
      address: server.address,
      recovered,
      close: async () => {
        closing.abort();
        await server.close();
        await recovered;
        await publisher.close();
        await events.close();
        drivers.close();
        store.close();
      },
    };
  } catch (error) {
    closing.abort();
    store.close();
    throw error;
  }
}

function assemble(
  config: ImageServiceConfig,
  directory: string,
  store: Store,
  drivers: Drivers,
  log: Logger,
): ImageParts {
  const snapshots = createSnapshotTable(store);
  const layerMutex = createKeyedMutex();
  return {
    store,
    images: createImageStore(store),
    blobs: createBlobStore(store, directory),
    snapshots,
    drivers,
    worker: createLayerWorker({
      binary: nativeBinary('teu-layer'),
      cageDirectory: join(directory, 'cage'),
      limits: config,
    }),
    unpacker: createUnpacker({ store, snapshots, mutex: layerMutex }),
    events: createImageEvents(store, hostname()),
    pins: createPins(),
    watchers: new ImageWatchers(),
    layerMutex,
    log,
  };
}
