import type { DriverAddress } from '@teu/proto/storage';
import type { Store } from '@teu/state';
import type { KnownDrivers } from '../layers/drivers.js';

/** The drivers that were last told. */
export interface DriverTable {
  /** Undefined if none ever were. */
  load(): KnownDrivers | undefined;
  /** In a transaction of its own. */
  save(known: KnownDrivers): void;
}

/** Makes the table of a store. */
export function createDriverTable(store: Store): DriverTable {
  return {
    load: () => {
      const told = store
        .prepare<{ name: string }>('SELECT default_driver AS name FROM told_drivers')
        .get();
      if (told === undefined) return undefined;
      const addresses = store
        .prepare<DriverAddress>('SELECT name, address, snapshotter, namespace FROM drivers')
        .all();
      return { addresses, defaultName: told.name };
    },
    save: ({ addresses, defaultName }) => {
      store.transaction(() => {
        store.prepare('DELETE FROM drivers').run();
        const insert = store.prepare('INSERT INTO drivers VALUES (?, ?, ?, ?)');
        for (const { name, address, snapshotter, namespace } of addresses) {
          insert.run(name, address, snapshotter, namespace);
        }
        store
          .prepare('INSERT OR REPLACE INTO told_drivers (only_row, default_driver) VALUES (1, ?)')
          .run(defaultName);
      });
    },
  };
}
