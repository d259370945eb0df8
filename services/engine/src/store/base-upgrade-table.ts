import { BaseUpgrade, BaseUpgradeState, RebaseState, UpgradedContainer } from '@teu/proto/engine';
import type { Store } from '@teu/state';
import { checkedBody, readChecked, type CheckedBody } from './checked-body.js';

/** A page of a list, and where the next begins. */
export interface Page<T> {
  items: T[];
  /** Position to go on at; undefined on the last page. */
  next: number | undefined;
}

/** What may be asked for of a list. */
export interface PageRequest {
  size: number;
  /** Position that the page before told. */
  from: number | undefined;
}

/** Upgrades of bases and their containers. Writes belong into a transaction of the caller's. */
export interface BaseUpgradeTable {
  /** Adds one, and forgets the oldest ended ones beyond a thousand. */
  insert(upgrade: BaseUpgrade): void;
  update(upgrade: BaseUpgrade): void;
  /** With the counts of its containers as they are now; undefined if it is not there, or damaged. */
  find(id: string): BaseUpgrade | undefined;
  /** Ids that begin so, two at most. */
  idsByPrefix(prefix: string): string[];
  /** Those that are under way, to or fro. */
  underWay(): BaseUpgrade[];
  /** Newest first, without their images. */
  page(request: PageRequest): Page<BaseUpgrade>;
  /** Adds or replaces a container of an upgrade. */
  putContainer(upgradeId: string, container: UpgradedContainer): void;
  findContainer(upgradeId: string, containerId: string): UpgradedContainer | undefined;
  /** In the order in which they were added. */
  containers(upgradeId: string, request: PageRequest): Page<UpgradedContainer>;
  /** What other upgrades had scheduled for a container is done with: the container has gone where they wanted it, or on. */
  settleScheduled(containerId: string): void;
}

/** How many upgrades are kept. */
const KEPT = 1000;
/** In an integer of SQLite and of JavaScript. */
const BEYOND_ALL = Number.MAX_SAFE_INTEGER;

type Row = CheckedBody & { position: number; id: string; state: number };
type ContainerRow = CheckedBody & { position: number; state: RebaseState };

const ENDED = [
  BaseUpgradeState.BASE_UPGRADE_STATE_COMPLETED,
  BaseUpgradeState.BASE_UPGRADE_STATE_UNDONE,
].join(', ');

/** Makes the table of a store. */
export function createBaseUpgradeTable(store: Store): BaseUpgradeTable {
  const read = (row: Row): BaseUpgrade | undefined => {
    const upgrade = readChecked(BaseUpgrade, row);
    return upgrade && { ...upgrade, ...countContainers(store, row.id) };
  };
  const readShort = (row: Row): BaseUpgrade | undefined => {
    const upgrade = read(row);
    return upgrade && { ...upgrade, images: [] };
  };
  return {
    insert: (upgrade) => {
      const { body, checksum } = checkedBody(BaseUpgrade, upgrade);
      store
        .prepare('INSERT INTO base_upgrades (id, state, body, checksum) VALUES (?, ?, ?, ?)')
        .run(upgrade.id, upgrade.state, body, checksum);
      forgetOldest(store);
    },
    update: (upgrade) => {
      const { body, checksum } = checkedBody(BaseUpgrade, upgrade);
      store
        .prepare('UPDATE base_upgrades SET state = ?, body = ?, checksum = ? WHERE id = ?')
        .run(upgrade.state, body, checksum, upgrade.id);
    },
    find: (id) => {
      const row = store.prepare<Row>('SELECT * FROM base_upgrades WHERE id = ?').get(id);
      return row && read(row);
    },
    idsByPrefix: (prefix) =>
      store
        .prepare<{ id: string }>(
          `SELECT id FROM base_upgrades WHERE substr(id, 1, length(?1)) = ?1 LIMIT 2`,
        )
        .all(prefix)
        .map(({ id }) => id),
    underWay: () =>
      store
        .prepare<Row>(`SELECT * FROM base_upgrades WHERE state NOT IN (${ENDED}) ORDER BY position`)
        .all()
        .flatMap((row) => read(row) ?? []),
    page: ({ size, from = BEYOND_ALL }) => {
      const rows = store
        .prepare<Row>(
          'SELECT * FROM base_upgrades WHERE position < ? ORDER BY position DESC LIMIT ?',
        )
        .all(from, size + 1);
      return pageOf(rows, size, readShort);
    },
    ...containerRows(store),
  };
}

function containerRows(
  store: Store,
): Pick<BaseUpgradeTable, 'putContainer' | 'findContainer' | 'containers' | 'settleScheduled'> {
  return {
    putContainer: (upgradeId, container) => {
      const { body, checksum } = checkedBody(UpgradedContainer, container);
      store
        .prepare(
          `INSERT INTO base_upgrade_containers (upgrade_id, container_id, state, body, checksum)
           VALUES (?, ?, ?, ?, ?)
           ON CONFLICT (upgrade_id, container_id)
           DO UPDATE SET state = excluded.state, body = excluded.body, checksum = excluded.checksum`,
        )
        .run(upgradeId, container.id, container.state, body, checksum);
    },
    findContainer: (upgradeId, containerId) => {
      const row = store
        .prepare<ContainerRow>(
          'SELECT * FROM base_upgrade_containers WHERE upgrade_id = ? AND container_id = ?',
        )
        .get(upgradeId, containerId);
      return row && readContainer(row);
    },
    containers: (upgradeId, { size, from = 0 }) => {
      const rows = store
        .prepare<ContainerRow>(
          `SELECT * FROM base_upgrade_containers
           WHERE upgrade_id = ? AND position > ? ORDER BY position LIMIT ?`,
        )
        .all(upgradeId, from, size + 1);
      return pageOf(rows, size, readContainer);
    },
    settleScheduled: (containerId) => {
      const { REBASE_STATE_SCHEDULED, REBASE_STATE_DONE } = RebaseState;
      const { REBASE_STATE_UNDO_SCHEDULED, REBASE_STATE_UNDONE } = RebaseState;
      const settle = store.prepare(
        'UPDATE base_upgrade_containers SET state = ? WHERE container_id = ? AND state = ?',
      );
      settle.run(REBASE_STATE_DONE, containerId, REBASE_STATE_SCHEDULED);
      settle.run(REBASE_STATE_UNDONE, containerId, REBASE_STATE_UNDO_SCHEDULED);
    },
  };
}

/** The state beside the body is the newer one. */
function readContainer(row: ContainerRow): UpgradedContainer | undefined {
  const container = readChecked(UpgradedContainer, row);
  return container && { ...container, state: row.state };
}

/** Makes a page of rows, of which one more than the page has was read. Damaged ones are left out. */
export function pageOf<R extends { position: number }, T>(
  rows: readonly R[],
  size: number,
  read: (row: R) => T | undefined,
): Page<T> {
  const own = rows.slice(0, size);
  const items = own.flatMap((row) => read(row) ?? []);
  return { items, next: rows.length > size ? own.at(-1)?.position : undefined };
}

type Counts = Pick<BaseUpgrade, 'doneCount' | 'scheduledCount' | 'failedCount' | 'undoneCount'>;

function countContainers(store: Store, upgradeId: string): Counts {
  const rows = store
    .prepare<{ state: RebaseState; count: number }>(
      `SELECT state, count(*) AS count FROM base_upgrade_containers
       WHERE upgrade_id = ? GROUP BY state`,
    )
    .all(upgradeId);
  const count = (...states: RebaseState[]): number =>
    rows.reduce((sum, row) => sum + (states.includes(row.state) ? row.count : 0), 0);
  return {
    doneCount: count(RebaseState.REBASE_STATE_DONE),
    scheduledCount: count(
      RebaseState.REBASE_STATE_SCHEDULED,
      RebaseState.REBASE_STATE_UNDO_SCHEDULED,
    ),
    failedCount: count(RebaseState.REBASE_STATE_FAILED),
    undoneCount: count(RebaseState.REBASE_STATE_UNDONE),
  };
}

function forgetOldest(store: Store): void {
  const old = `SELECT id FROM base_upgrades WHERE state IN (${ENDED}) AND position NOT IN
                 (SELECT position FROM base_upgrades ORDER BY position DESC LIMIT ${KEPT})`;
  store.prepare(`DELETE FROM base_upgrade_containers WHERE upgrade_id IN (${old})`).run();
  store.prepare(`DELETE FROM base_upgrades WHERE id IN (${old})`).run();
}
