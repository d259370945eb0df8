import { makeEvent } from '@teu/events';
import type { Logger } from '@teu/log';
import type { Store } from '@teu/state';
import { hostname } from 'node:os';
import type { SnapshotContext } from './context.js';
import type { StorageDriver } from './driver.js';
import { Reclaimer } from './reclaimer.js';
import { SnapshotRecords } from './records.js';
import { recover } from './recover.js';
import { MIGRATIONS } from './schema.js';

/** The snapshots of one driver, ready to work with. */
export interface OpenSnapshots extends SnapshotContext {
  /** Resolves when what was removed before the call is freed. */
  finishReclaim(): Promise<void>;
  /** Waits for work in the background. */
  close(): Promise<void>;
}

/** What `openSnapshots` needs. */
export interface OpenSnapshotsOptions {
  readonly store: Store;
  readonly driver: StorageDriver;
  readonly log: Logger;
}

/** Brings the tables up to date and makes records and files agree. */
export async function openSnapshots(options: OpenSnapshotsOptions): Promise<OpenSnapshots> {
  const { store, driver, log } = options;
  store.migrate('snapshots', MIGRATIONS);
  const reclaimer = new Reclaimer(driver, log);
  const source = `storage/${driver.name}`;
  const snapshots: OpenSnapshots = {
    driver,
    log,
    damaged: new Set(),
    records: new SnapshotRecords(store),
    announce: (action, key, parent) => {
      const value = { action, driver: driver.name, key, parent };
      const payload = { $case: 'snapshot' as const, value };
      store.outbox.append(makeEvent({ node: hostname(), source, payload }));
    },
    scheduleReclaim: () => reclaimer.schedule(),
    finishReclaim: () => reclaimer.finish(),
    close: async () => {
      await reclaimer.idle();
      await driver.close?.();
    },
  };
  const found = await recover(snapshots);
  log.info({ ...found, snapshots: snapshots.records.count() }, 'snapshots are open');
  return snapshots;
}
