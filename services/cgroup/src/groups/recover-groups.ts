import { isBelow } from '../domain/group-path.js';
import type { GroupRecord, GroupTable } from '../store/group-table.js';
import { makeDirectories, setLimits } from './group-directories.js';
import type { GroupParts } from './groups.js';

/** What is done to a group, as intents name it. */
export type GroupOperation = 'group-create' | 'group-update' | 'group-delete';

/**
 * Brings rows and kernel together after a start. A creation that was not recorded is undone, a removal is finished; an
 * update is undone by giving each group the limits of its row, which also makes groups again after a restart of the
 * host.
 *
 * @returns The groups there are, ordered by name. One that cannot be made is among them: it is tried again when it is
 *   used.
 */
export function recoverGroups(parts: GroupParts, table: GroupTable): GroupRecord[] {
  const { store, tree, log } = parts;
  for (const { id, operation, objectKey: name } of store.intents.list()) {
    switch (operation as GroupOperation) {
      case 'group-create':
        tree.removeGroups(name);
        break;
      case 'group-delete':
        finishDelete(parts, table, name);
        break;
      case 'group-update':
        break;
      default:
        // Another's.
        continue;
    }
    store.intents.finish(id);
  }
  const records = table.list();
  for (const record of records) {
    try {
      restore(parts, record);
    } catch (error) {
      log.error({ group: record.name, err: error }, 'a group cannot be made again');
    }
  }
  return records;
}

/** A container cannot have come into it since: it was gone for everybody. */
function finishDelete({ store, tree }: GroupParts, table: GroupTable, name: string): void {
  tree.removeGroups(name);
  store.transaction(() => {
    for (const record of table.list()) {
      if (record.name === name || isBelow(record.name, name)) table.delete(record.name);
    }
  });
}

function restore({ tree }: GroupParts, { name, limits }: GroupRecord): void {
  makeDirectories(tree, name, limits);
  setLimits(tree, name, limits);
}
