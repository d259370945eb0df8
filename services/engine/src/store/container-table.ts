import { crc32 } from 'node:zlib';
import { clock } from '@teu/ids';
import { Container } from '@teu/proto/engine';
import type { Store } from '@teu/state';

/** A container as it is stored. */
export interface StoredContainer {
  /** Order of creation. */
  position: number;
  /** Boot of the machine in which it last started; empty if it never has. */
  bootId: string;
  container: Container;
}

/** A row that could not be read and was put aside. */
export interface QuarantinedRow {
  id: string;
  name: string;
  problem: string;
}

/** The durable rows of containers. All writes belong into a transaction of the caller's. */
export interface ContainerTable {
  /** Adds one and gives its position. `bootId` as in StoredContainer. */
  insert(container: Container, bootId?: string): number;
  update(container: Container, bootId: string): void;
  delete(id: string): void;
  /** Reads all, in order of creation, and puts aside what is damaged. */
  load(): { containers: StoredContainer[]; quarantined: QuarantinedRow[] };
}

interface Row {
  position: number;
  id: string;
  name: string;
  boot_id: string;
  body: Uint8Array;
  checksum: number;
}

interface DamagedRow {
  row: Row;
  problem: string;
}

/** Makes the table of a store. */
export function createContainerTable(store: Store): ContainerTable {
  return {
    insert: (container, bootId = '') => {
      const body = Container.encode(container).finish();
      const { lastInsertRowid } = store
        .prepare(
          'INSERT INTO containers (id, name, boot_id, body, checksum) VALUES (?, ?, ?, ?, ?)',
        )
        .run(container.id, container.name, bootId, body, crc32(body));
      return Number(lastInsertRowid);
    },
    update: (container, bootId) => {
      const body = Container.encode(container).finish();
      store
        .prepare('UPDATE containers SET boot_id = ?, body = ?, checksum = ? WHERE id = ?')
        .run(bootId, body, crc32(body), container.id);
    },
    delete: (id) => {
      store.prepare('DELETE FROM containers WHERE id = ?').run(id);
    },
    load: () => load(store),
  };
}

function load(store: Store): ReturnType<ContainerTable['load']> {
  const containers: StoredContainer[] = [];
  const quarantined: DamagedRow[] = [];
  const rows = store.prepare<Row>('SELECT * FROM containers ORDER BY position').all();
  for (const row of rows) {
    const problem = problemOf(row);
    if (problem === undefined) {
      const container = Container.decode(row.body);
      containers.push({ position: row.position, bootId: row.boot_id, container });
    } else {
      quarantined.push({ row, problem });
    }
  }
  quarantine(store, quarantined);
  const names = quarantined.map(({ row: { id, name }, problem }) => ({ id, name, problem }));
  return { containers, quarantined: names };
}

function problemOf(row: Row): string | undefined {
  if (crc32(row.body) !== row.checksum) return 'its checksum does not match';
  try {
    const container = Container.decode(row.body);
    if (container.id !== row.id || container.name !== row.name) return 'it belongs to another row';
    return container.spec === undefined ? 'it has no spec' : undefined;
  } catch {
    return 'it is not a message of type Container';
  }
}

/** Keeps the bytes for people to look at; the ids and the names are free again. One write to the disk, however many. */
function quarantine(store: Store, damaged: readonly DamagedRow[]): void {
  if (damaged.length === 0) return;
  const time = clock.now().getTime();
  store.transaction(() => {
    for (const { row, problem } of damaged) {
      store
        .prepare('INSERT INTO quarantined_containers VALUES (?, ?, ?, ?, ?)')
        .run(row.id, row.name, row.body, problem, time);
      store.prepare('DELETE FROM containers WHERE position = ?').run(row.position);
    }
  });
}
