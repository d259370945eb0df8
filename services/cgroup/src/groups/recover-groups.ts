import { isBelow } from '../domain/group-path.js';
import type { GroupRecord, GroupTable } from '../store/group-table.js';
import type { CgroupTree } from '../tree/cgroup-tree.js';
import { makeDirectories } from './group-directories.js';
import { setResources } from './group-resources.js';
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
  const done: string[] = [];
  for (const { id, operation, objectKey: name } of store.intents.list()) {
    if (operation === 'group-create') tree.removeGroups(name);
    if (operation === 'group-delete') finishDelete(parts, table, name);
    // Others are not about groups.
    if (operation.startsWith('group-')) done.push(id);
  }
  const records = table.list();
  for (const record of records) {
    try {
      restoreGroup(tree, record);
    } catch (error) {
      log.error({ group: record.name, err: error }, 'a group cannot be made again');
    }
  }
  store.transaction(() => {
    for (const id of done) store.intents.finish(id);
  });
  return records;
}

/** Makes a group as its row says, as far as it is not so. The one that it is in must be there. */
export function restoreGroup(tree: CgroupTree, { name, resources }: GroupRecord): void {
  makeDirectories(tree, name);
  setResources(tree, name, resources);
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
