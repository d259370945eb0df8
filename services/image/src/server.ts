import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { nativeBinary } from '@teu/config';
import { connectEvents, startOutboxPublisher } from '@teu/events';
import { defineFailpoints } from '@teu/failpoint';
import type { Logger } from '@teu/log';
import {
  ArchiveServiceService,
  ContentServiceService,
  DistributionServiceService,
  ImageServiceService,
} from '@teu/proto/image';
import { implement, startRpcServer } from '@teu/rpc';
import { openStore, type Store } from '@teu/state';
import { environmentProxies, type ImageServiceConfig } from './config.js';
import { bootClock } from './domain/boot-clock.js';
import { ImageWatchers } from './domain/image-watchers.js';
import { createKeyedMutex } from './domain/keyed-mutex.js';
import { createPins } from './domain/pins.js';
import { IMAGE_FAILPOINTS } from './failpoints.js';
import { createContentHandlers } from './handlers/content/index.js';
import { createArchiveHandlers } from './handlers/archive-service.js';
import { createDistributionHandlers } from './handlers/distribution/index.js';
import { createImageHandlers } from './handlers/index.js';
import { createBlobHasher } from './layers/blob-hasher.js';
import { createDrivers, type KnownDrivers } from './layers/drivers.js';
import { createLayerWorker } from './layers/layer-worker.js';
import { createPackWorker } from './layers/pack-worker.js';
import { createProduceWorker } from './layers/produce-worker.js';
import { createTreeWorker } from './layers/tree-worker.js';
import { createUnpacker, type OnLeftover } from './layers/unpacker.js';
import { Caretaker } from './operations/caretaker.js';
import { DriverChores } from './operations/driver-chores.js';
import { createImageEvents } from './operations/image-events.js';
import type { ImageParts } from './operations/image-parts.js';
import { recover } from './operations/recover.js';
import { registryOrigins } from './operations/registry-origins.js';
import { createDownloads } from './registry/downloads.js';
import { createLimiter } from './registry/limiter.js';
import { createBlobStore } from './store/blob-store.js';
import { createDamageTable } from './store/damage-table.js';
import { createDriverTable } from './store/driver-table.js';
import { createImageStore } from './store/image-store.js';
import { createLeaseTable } from './store/lease-table.js';
import { markCleanEnd, markRun } from './store/run-marker.js';
import { IMAGE_MIGRATIONS } from './store/schema.js';
import { createIngestStore } from './store/ingest-store.js';
import { createOriginTable } from './store/origin-table.js';
import { createSnapshotTable } from './store/snapshot-table.js';
import { createUseTable } from './store/use-table.js';

/** The running service. */
export interface ImageServer {
  address: string;
  close(): Promise<void>;
}

/** How long an end waits for what the next start can do as well. */
const CLEAR_UP_MS = 2_000;

/** Opens the state, recovers what a crash left, and serves. Waits for no other service. */
export async function startServer(config: ImageServiceConfig, log: Logger): Promise<ImageServer> {
  defineFailpoints('image', IMAGE_FAILPOINTS);
  const directory = join(config.dataDir, 'image');
  const store = openStore({ path: join(directory, 'state.db'), migrations: IMAGE_MIGRATIONS });
  try {
    const parts = assemble(config, directory, store, log);
    const lastEnd = markRun(store);
    const recovered = recover(parts);
    const caretaker = new Caretaker(parts, config);
    const server = await startRpcServer({
      name: 'image',
      version: '0.1.0',
      address: config.address,
      services: [
        implement(ImageServiceService, createImageHandlers(parts, config), {
          longRunning: ['prepareImage', 'removeImage', 'releaseDriver', 'transplantSnapshot'],
        }),
        implement(ContentServiceService, createContentHandlers(parts, caretaker), {
          longRunning: ['pruneImages', 'getContentUsage'],
        }),
        implement(ArchiveServiceService, createArchiveHandlers(parts), {
          longRunning: ['commitSnapshot'],
        }),
        implement(DistributionServiceService, createDistributionHandlers(parts), {
          longRunning: ['checkCredentials', 'resolveImage', 'listReferrers', 'listTags'],
        }),
      ],
      log,
    });
    caretaker.start(lastEnd);
    const events = connectEvents({
      url: config.natsUrl,
      service: 'image',
      nkeySeedFile: config.natsSeedFile,
      log,
    });
    const publisher = startOutboxPublisher({ store, events, log });
    return {
      address: server.address,
      close: async () => {
        await server.close();
        const background = [caretaker.close(), parts.chores.close(), recovered];
        await within(CLEAR_UP_MS, Promise.all(background));
        await publisher.close();
        await events.close();
        parts.drivers.close();
        markCleanEnd(store);
        store.close();
      },
    };
  } catch (error) {
    store.close();
    throw error;
  }
}

function assemble(
  config: ImageServiceConfig,
  directory: string,
  store: Store,
  log: Logger,
): ImageParts {
  const snapshots = createSnapshotTable(store);
  const layerMutex = createKeyedMutex();
  const pins = createPins();
  const driverTable = createDriverTable(store);
  const drivers = createDrivers(driverTable.load() ?? configured(config));
  const cageDirectory = join(directory, 'cage');
  const blobs = createBlobStore(store, directory);
  const ingests = createIngestStore(store, directory, config);
  const transfers = {
    origins: createOriginTable(store),
    ingests,
    downloads: createDownloads({ ingests, blobs }),
    downloadLimiter: createLimiter(config.maxDownloads),
    registry: { ...config, proxyOf: environmentProxies() },
  };
  const chores = new DriverChores({ drivers, layerMutex, log, pins, snapshots, store });
  const onLeftover: OnLeftover = (driver, key, intent) => chores.addLeftover(driver, key, intent);
  const [images, damage] = [createImageStore(store), createDamageTable(store)];
  const events = createImageEvents(store, hostname());
  const onMended = (chainId: string): void => {
    for (const id of images.usersOf(chainId)) events.repaired(id, chainId, '');
  };
  return {
    store,
    driverTable,
    chores,
    images,
    damage,
    directory,
    leases: createLeaseTable(store, bootClock),
    uses: createUseTable(store),
    hasher: createBlobHasher(nativeBinary('teu-tree')),
    blobs,
    ...transfers,
    blobOrigins: registryOrigins({ ...transfers, images, log, store }),
    snapshots,
    drivers,
    worker: createLayerWorker({
      binary: nativeBinary('teu-layer'),
      cageDirectory,
      limits: config,
    }),
    packer: createPackWorker(nativeBinary('teu-pack')),
    maxParallelLayers: config.maxParallelLayers,
    producer: createProduceWorker({
      binary: nativeBinary('teu-layer'),
      cageDirectory,
      limits: config,
    }),
    trees: createTreeWorker({ binary: nativeBinary('teu-graft'), cageDirectory }),
    unpacker: createUnpacker({
      ...{ store, snapshots, damage, onLeftover, onMended },
      mutex: layerMutex,
    }),
    events,
    pins,
    watchers: new ImageWatchers(),
    layerMutex,
    log,
  };
}

/** What is so until an engine has told its drivers. */
function configured({ drivers }: ImageServiceConfig): KnownDrivers {
  return { addresses: drivers, defaultName: drivers[0]?.name ?? '' };
}

async function within(ms: number, work: Promise<unknown>): Promise<void> {
  const limit = new AbortController();
  const timeout = delay(ms, undefined, limit).catch(() => undefined);
  await Promise.race([work, timeout]);
  limit.abort();
}
