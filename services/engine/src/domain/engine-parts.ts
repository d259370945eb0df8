import type { Logger } from '@teu/log';
import type { EventJournal, Store } from '@teu/state';
import type { BaseEditTable } from '../store/base-edit-table.js';
import type { BaseUpgradeTable } from '../store/base-upgrade-table.js';
import type { ContainerTable } from '../store/container-table.js';
import type { ExecTable } from '../store/exec-table.js';
import type { RequestTable } from '../store/request-table.js';
import type { Peers } from '../peers/peers.js';
import type { ContainerFiles } from './container-files.js';
import type { ContainerRegistry } from './container-registry.js';
import type { DriverNews } from './drivers/driver-news.js';
import type { DriverRegistry } from './drivers/driver-registry.js';
import type { ImageCache } from './image-cache.js';
import type { LogReaders } from './log-readers.js';
import type { RunUsage } from './run-usage.js';
import type { SpecDefaults } from './image-defaults.js';
import type { StartActivity } from './start-activity.js';
import type { TeardownQueue } from './teardown-queue.js';
import type { LimitUpdates } from './limit-updates.js';
import type { Freezer } from './freezer.js';
import type { WarmPool } from './warm-pool.js';

/** What the verbs of the engine work with. Made once in server.ts. */
export interface EngineParts {
  log: Logger;
  /** Node name in the subjects of events. */
  node: string;
  defaults: SpecDefaults;
  store: Store;
  table: ContainerTable;
  requests: RequestTable;
  execs: ExecTable;
  upgrades: BaseUpgradeTable;
  edits: BaseEditTable;
  journal: EventJournal;
  registry: ContainerRegistry;
  peers: Peers;
  drivers: DriverRegistry;
  driverNews: DriverNews;
  images: ImageCache;
  files: ContainerFiles;
  readers: LogReaders;
  teardown: TeardownQueue;
  pool: WarmPool;
  activity: StartActivity;
  usage: RunUsage;
  /** Holds containers still while their trees are read. */
  freezer: Freezer;
  /** Has the kernel follow the limits in records. */
  limits: LimitUpdates;
}
