import type { Store } from '@teu/state';
import { LinuxResources } from '@teu/proto/type';

/** A group of containers as it is kept. */
export interface GroupRecord {
  /** Path, "team/build". */
  readonly name: string;
  /** Limits in force. */
  readonly limits: LinuxResources;
  readonly labels: Readonly<Record<string, string>>;
  readonly createTime: Date;
}

/** The durable rows of groups. All writes belong into a transaction of the caller's. */
export interface GroupTable {
  /** All, ordered by name: one that others are in comes before them. */
  list(): GroupRecord[];
  insert(group: GroupRecord): void;
  setLimits(name: string, limits: LinuxResources): void;
  delete(name: string): void;
}

interface Row {
  name: string;
  limits: string;
  labels: string;
  create_time: number;
}

/** Makes the table of a store. */
export function createGroupTable(store: Store): GroupTable {
  return {
    list: () => store.prepare<Row>('SELECT * FROM groups ORDER BY name').all().map(fromRow),
    insert: ({ name, limits, labels, createTime }) => {
      store
        .prepare('INSERT INTO groups (name, limits, labels, create_time) VALUES (?, ?, ?, ?)')
        .run(name, JSON.stringify(limits), JSON.stringify(labels), createTime.getTime());
    },
    setLimits: (name, limits) => {
      store
        .prepare('UPDATE groups SET limits = ? WHERE name = ?')
        .run(JSON.stringify(limits), name);
    },
    delete: (name) => {
      store.prepare('DELETE FROM groups WHERE name = ?').run(name);
    },
  };
}

function fromRow({ name, limits, labels, create_time }: Row): GroupRecord {
  return {
    name,
    limits: LinuxResources.fromPartial(JSON.parse(limits) as Partial<LinuxResources>),
    labels: JSON.parse(labels) as Record<string, string>,
    createTime: new Date(create_time),
  };
}
