import { LinuxResources } from '@teu/proto/type';
import type { Store } from '@teu/state';

/** A group of containers as it is kept. */
export interface GroupRecord {
  /** Path, "team/build". */
  readonly name: string;
  /** Limits in force. What is not limited is absent. */
  readonly resources: LinuxResources;
  readonly labels: Readonly<Record<string, string>>;
  readonly createTime: Date;
}

/** The durable rows of groups. All writes belong into a transaction of the caller's. */
export interface GroupTable {
  /** All, ordered by name: one that others are in comes before them. */
  list(): GroupRecord[];
  insert(group: GroupRecord): void;
  setResources(name: string, resources: LinuxResources): void;
  delete(name: string): void;
}

interface Row {
  name: string;
  resources: Uint8Array;
  labels: string;
  create_time: number;
}

/** Makes the table of a store. */
export function createGroupTable(store: Store): GroupTable {
  return {
    list: () => store.prepare<Row>('SELECT * FROM groups ORDER BY name').all().map(fromRow),
    insert: ({ name, resources, labels, createTime }) => {
      store
        .prepare('INSERT INTO groups (name, resources, labels, create_time) VALUES (?, ?, ?, ?)')
        .run(name, encode(resources), JSON.stringify(labels), createTime.getTime());
    },
    setResources: (name, resources) => {
      store.prepare('UPDATE groups SET resources = ? WHERE name = ?').run(encode(resources), name);
    },
    delete: (name) => {
      store.prepare('DELETE FROM groups WHERE name = ?').run(name);
    },
  };
}

function encode(resources: LinuxResources): Uint8Array {
  return LinuxResources.encode(resources).finish();
}

function fromRow({ name, resources, labels, create_time }: Row): GroupRecord {
  return {
    name,
    resources: LinuxResources.decode(resources),
    labels: JSON.parse(labels) as Record<string, string>,
    createTime: new Date(create_time),
  };
}
