import type { DriverAddress } from '@teu/proto/storage';
import type { Store } from '@teu/state';

/** A driver that was added while the engine ran. */
export interface StoredDriver {
  address: DriverAddress;
  addTime: Date;
}

/** The drivers that the configuration does not have, and which of all is the default one. */
export interface DriverTable {
  list(): StoredDriver[];
  /** Writes belong into a transaction of the caller's. */
  insert(driver: StoredDriver): void;
  delete(name: string): void;
  /** Name of the driver that was chosen to be the default one; undefined if none was. */
  chosenDefault(): string | undefined;
  chooseDefault(name: string): void;
}

interface Row {
  name: string;
  address: string;
  snapshotter: string;
  namespace: string;
  add_time: number;
}

/** Makes the table of a store. */
export function createDriverTable(store: Store): DriverTable {
  return {
    list: () => store.prepare<Row>('SELECT * FROM drivers ORDER BY name').all().map(fromRow),
    insert: ({ address, addTime }) => {
      const { name, snapshotter, namespace } = address;
      store
        .prepare('INSERT INTO drivers VALUES (?, ?, ?, ?, ?)')
        .run(name, address.address, snapshotter, namespace, addTime.getTime());
    },
    delete: (name) => {
      store.prepare('DELETE FROM drivers WHERE name = ?').run(name);
    },
    chosenDefault: () =>
      store.prepare<{ name: string }>('SELECT name FROM default_driver').get()?.name,
    chooseDefault: (name) => {
      store
        .prepare('INSERT OR REPLACE INTO default_driver (only_row, name) VALUES (1, ?)')
        .run(name);
    },
  };
}

function fromRow({ name, address, snapshotter, namespace, add_time }: Row): StoredDriver {
  return { address: { name, address, snapshotter, namespace }, addTime: new Date(add_time) };
}
