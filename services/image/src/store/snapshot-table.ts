import type { Store } from '@teu/state';

/** A layer that this service has committed in a driver. */
export interface SnapshotRow {
  driver: string;
  chainId: string;
  /** Chain id of the layer below; empty for none. */
  parent: string;
  /** Bytes as unpacked. */
  sizeBytes: number;
}

/** What lies where. It may lag behind a driver that lost its data, never ahead of what was synced. */
export interface SnapshotTable {
  find(driver: string, chainId: string): SnapshotRow | undefined;
  /** Drivers that hold a layer. */
  driversOf(chainId: string): string[];
  /** Names of the drivers that hold any, sorted. */
  drivers(): string[];
  /** Layers that a driver holds. */
  ofDriver(driver: string): SnapshotRow[];
  record(row: SnapshotRow): void;
  forget(driver: string, chainId: string): void;
  /** Layers that no image needs and no other recorded layer stands on: what can go next. */
  unusedTips(): SnapshotRow[];
}

const COLUMNS = 'driver, chain_id AS chainId, parent, size_bytes AS sizeBytes';

export function createSnapshotTable(store: Store): SnapshotTable {
  return {
    find: (driver, chainId) =>
      store
        .prepare<SnapshotRow>(`SELECT ${COLUMNS} FROM snapshots WHERE driver = ? AND chain_id = ?`)
        .get(driver, chainId),
    driversOf: (chainId) =>
      store
        .prepare<{ driver: string }>('SELECT driver FROM snapshots WHERE chain_id = ?')
        .all(chainId)
        .map(({ driver }) => driver),
    drivers: () =>
      store
        .prepare<{ driver: string }>('SELECT DISTINCT driver FROM snapshots ORDER BY driver')
        .all()
        .map(({ driver }) => driver),
    ofDriver: (driver) =>
      store.prepare<SnapshotRow>(`SELECT ${COLUMNS} FROM snapshots WHERE driver = ?`).all(driver),
    record: (row) =>
      void store
        .prepare(
          `INSERT OR REPLACE INTO snapshots (driver, chain_id, parent, size_bytes)
           VALUES (?, ?, ?, ?)`,
        )
        .run(row.driver, row.chainId, row.parent, row.sizeBytes),
    forget: (driver, chainId) =>
      void store
        .prepare('DELETE FROM snapshots WHERE driver = ? AND chain_id = ?')
        .run(driver, chainId),
    unusedTips: () =>
      store
        .prepare<SnapshotRow>(
          `SELECT ${COLUMNS} FROM snapshots AS own
           WHERE NOT EXISTS (SELECT 1 FROM layers WHERE layers.chain_id = own.chain_id)
             AND NOT EXISTS (SELECT 1 FROM snapshots AS child
                             WHERE child.driver = own.driver AND child.parent = own.chain_id)`,
        )
        .all(),
  };
}
