import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { nativeBinary } from '@teu/config';
import { connectEvents, startOutboxPublisher } from '@teu/events';
import type { Logger } from '@teu/log';
import type { CgroupEvent } from '@teu/proto/event';
import type { OomKill } from '@teu/proto/type';
import { startRpcServer } from '@teu/rpc';
import { openStore } from '@teu/state';
import type { CgroupParts, ContainerNames } from './cgroup-parts.js';
import type { CgroupConfig } from './config.js';
import type { CgroupHost } from './domain/host.js';
import './failpoints.js';
import { Groups } from './groups/groups.js';
import { recoverUpdates } from './handlers/update-cgroup.js';
import { implementUsageService } from './handlers/usage-service.js';
import { implementCgroupService, implementGroupService } from './implement-service.js';
import { BootClock } from './ledger/boot-clock.js';
import { startHousekeeping } from './ledger/housekeeping.js';
import { UsageLedger } from './ledger/usage-ledger.js';
import { CallCost } from './metrics/call-cost.js';
import { collectMetrics } from './metrics/collect-metrics.js';
import { startMetricsServer } from './metrics/metrics-server.js';
import { CGROUP_MIGRATIONS } from './store/schema.js';
import { detectThisHost } from './this-host.js';
import { Figures } from './stats/figures.js';
import { OpenFiles } from './stats/open-files.js';
import { CgroupTree } from './tree/cgroup-tree.js';
import { DeviceFilter } from './tree/limits/device-filter.js';
import { VERSION } from './version.js';
import { CgroupWatch } from './watch/cgroup-watch.js';
import type { WatchOptions } from './watch/watch-options.js';

/** A service that serves. */
export interface CgroupServer {
  readonly address: string;
  /** Where metrics are served; undefined if they are not. */
  readonly metricsAddress: string | undefined;
  /** Process that hears from the kernel, for tests; undefined while none runs. */
  readonly watcherPid: number | undefined;
  close(): Promise<void>;
}

const INSTANCE_LENGTH = 12;

/** Name of the group of all containers of one engine, so that several engines share a host. */
export function instanceOf(dataDir: string): string {
  return createHash('sha256').update(dataDir).digest('hex').slice(0, INSTANCE_LENGTH);
}

/** What a test may bring along. */
export interface CgroupDependencies {
  /** How the host has set up cgroups; looked at if not given. */
  readonly host?: CgroupHost;
  /** Hears of each event as it is recorded. */
  readonly onEvent?: (event: CgroupEvent) => void;
}

/**
 * Starts the service: finds the hierarchies, makes the engine's groups, serves. No group of a
 * container is touched; which of them are wanted is for the engine to say.
 *
 * @throws CGROUP_UNAVAILABLE if the host has no hierarchy that can be used
 */
export async function startServer(
  config: CgroupConfig,
  log: Logger,
  { host = detectThisHost(), onEvent = () => undefined }: CgroupDependencies = {},
): Promise<CgroupServer> {
  const filter = new DeviceFilter(nativeBinary('teu-devices'));
  const tree = new CgroupTree(host, instanceOf(config.dataDir), filter);
  const path = join(config.dataDir, 'cgroup', 'state.db');
  const store = openStore({ path, migrations: CGROUP_MIGRATIONS, role: 'cgroup' });
  let watch: CgroupWatch | undefined;
  try {
    log.info(
      { mode: host.mode, group: tree.groupPath, groups: tree.ids().length },
      'cgroups are ready',
    );
    const groups = new Groups({ log, store, tree });
    groups.recover();
    recoverUpdates({ tree, store });
    const parts = makeParts({ log, node: config.node, store, tree, groups }, config, onEvent);
    const { ledger, figures } = parts;
    watch = parts.watch;
    const metrics =
      config.metricsAddress &&
      (await startMetricsServer(config.metricsAddress, () => collectMetrics(parts), log));
    const server = await startRpcServer({
      name: 'cgroup',
      version: VERSION,
      address: config.address,
      services: [
        implementCgroupService(parts),
        implementGroupService(parts),
        implementUsageService(parts),
      ],
      log,
    });
    const stopEvents = publishEvents(config, parts);
    const stopHousekeeping = startHousekeeping(parts, config.usageCheckpoint, {
      keepMs: config.usageKeep,
      records: config.usageRecords,
    });
    return {
      address: server.address,
      metricsAddress: metrics?.address,
      get watcherPid() {
        return parts.watch.pid;
      },
      close: async () => {
        await metrics?.close();
        stopHousekeeping();
        await server.close();
        await ledger.refresh({ durable: true, all: false });
        ledger.close();
        await parts.watch.close();
        await stopEvents();
        figures.close();
        store.close();
        tree.removeParents();
      },
    };
  } catch (error) {
    await watch?.close();
    store.close();
    throw error;
  }
}

/** Makes what watches and measures groups. */
function makeParts(
  given: Pick<CgroupParts, 'log' | 'node' | 'store' | 'tree' | 'groups'>,
  options: WatchOptions,
  onEvent: (event: CgroupEvent) => void,
): CgroupParts {
  const { log, store, tree } = given;
  const names: ContainerNames = (id) => ledger.nameOf(id);
  const watch = new CgroupWatch({ ...given, names }, options, onEvent);
  const files = new OpenFiles();
  const clock = new BootClock();
  const oomKills = (id: string): readonly OomKill[] => watch.oomKills(id);
  const ledger = new UsageLedger({ store, tree, files, log, clock, oomKills });
  const figures = new Figures(tree, names, files);
  return { ...given, names, clock, watch, ledger, figures, creations: new CallCost() };
}

/** Publishes what is in the outbox. Nothing waits for it. */
function publishEvents(config: CgroupConfig, { store, log }: CgroupParts): () => Promise<void> {
  const { natsUrl: url, natsSeedFile: nkeySeedFile } = config;
  const events = connectEvents({ url, service: 'cgroup', nkeySeedFile, log });
  const publisher = startOutboxPublisher({ store, events, log });
  return async () => {
    await publisher.close();
    await events.close();
  };
}
