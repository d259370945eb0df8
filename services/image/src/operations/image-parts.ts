import type { Logger } from '@teu/log';
import type { Store } from '@teu/state';
import type { ImageWatchers } from '../domain/image-watchers.js';
import type { KeyedMutex } from '../domain/keyed-mutex.js';
import type { Pins } from '../domain/pins.js';
import type { Drivers } from '../layers/drivers.js';
import type { LayerWorker } from '../layers/layer-worker.js';
import type { PackWorker } from '../layers/pack-worker.js';
import type { ProduceWorker } from '../layers/produce-worker.js';
import type { TreeWorker } from '../layers/tree-worker.js';
import type { Unpacker } from '../layers/unpacker.js';
import type { Downloads } from '../registry/downloads.js';
import type { Limiter } from '../registry/limiter.js';
import type { RegistryOptions } from '../registry/open-client.js';
import type { BlobStore } from '../store/blob-store.js';
import type { DamageTable } from '../store/damage-table.js';
import type { DriverTable } from '../store/driver-table.js';
import type { ImageStore } from '../store/image-store.js';
import type { LeaseTable } from '../store/lease-table.js';
import type { IngestStore } from '../store/ingest-store.js';
import type { OriginTable } from '../store/origin-table.js';
import type { SnapshotTable } from '../store/snapshot-table.js';
import type { UseTable } from '../store/use-table.js';
import type { BlobHasher } from '../layers/blob-hasher.js';
import type { BlobOrigins } from './blob-origins.js';
import type { DriverChores } from './driver-chores.js';
import type { ImageEvents } from './image-events.js';

/** The parts of the service that its operations work with. */
export interface ImageParts {
  store: Store;
  images: ImageStore;
  blobs: BlobStore;
  snapshots: SnapshotTable;
  /** Layers that are to be made anew. */
  damage: DamageTable;
  /** What is kept though nothing else needs it. */
  leases: LeaseTable;
  /** When images were last used. */
  uses: UseTable;
  /** Directory of the service. */
  directory: string;
  drivers: Drivers;
  driverTable: DriverTable;
  /** What is done in drivers when nobody waits for it. */
  chores: DriverChores;
  worker: LayerWorker;
  /** Reads blobs again. */
  hasher: BlobHasher;
  /** Where blobs can be had once more. */
  blobOrigins: BlobOrigins;
  /** Writes archives. */
  packer: PackWorker;
  /** Layers of one image that are unpacked at once. */
  maxParallelLayers: number;
  /** Makes layers and tars of trees. */
  producer: ProduceWorker;
  /** Compares and copies trees. */
  trees: TreeWorker;
  unpacker: Unpacker;
  events: ImageEvents;
  pins: Pins;
  /** Where images came from. */
  origins: OriginTable;
  /** What is on its way from registries, or was. */
  ingests: IngestStore;
  downloads: Downloads;
  /** Over all pulls. */
  downloadLimiter: Limiter;
  registry: RegistryOptions & { maxTransfers: number };
  /** Told of every change before it is answered. */
  watchers: ImageWatchers;
  /** By "<driver> <chain id>": unpacking and removing a layer exclude each other. */
  layerMutex: KeyedMutex;
  log: Logger;
}
