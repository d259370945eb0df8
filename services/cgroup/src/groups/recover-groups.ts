import { LinuxResources } from '@teu/proto/type';
import type { Intent } from '@teu/state';
import { isBelow } from '../domain/group-path.js';
import type { GroupRecord, GroupTable } from '../store/group-table.js';
import type { CgroupTree } from '../tree/cgroup-tree.js';
import { hasDirectories, makeDirectories } from './group-directories.js';
import { changeLimits, isInForce, limitNew } from './group-resources.js';
import type { GroupParts } from './groups.js';

/** What is done to a group, as intents name it. */
export type GroupOperation = 'group-create' | 'group-update' | 'group-delete';

interface UpdatePayload {
  /** A LinuxResources, in base64. */
  readonly requested: string;
}

/** What an intent keeps of a request to change limits. */
export function updatePayload(requested: LinuxResources): UpdatePayload {
  const bytes = LinuxResources.encode(requested).finish();
  return { requested: Buffer.from(bytes).toString('base64') };
}

/**
 * Brings rows and kernel together after a start. A creation that was not recorded is undone, a removal or an update is
 * finished. Groups that the host has forgotten in a restart are made again.
 *
 * @returns The groups there are, ordered by name. One that cannot be made is among them: it is tried again when it is
 *   used.
 */
export async function recoverGroups(parts: GroupParts, table: GroupTable): Promise<GroupRecord[]> {
  const { store, tree, log } = parts;
  const updates: Intent[] = [];
  for (const intent of store.intents.list()) {
    const { operation, objectKey: name } = intent;
    if (operation === 'group-update') updates.push(intent);
    if (operation === 'group-create') tree.removeGroups(name);
    if (operation === 'group-delete') finishDelete(parts, table, name);
    if (operation === 'group-create' || operation === 'group-delete') {
      store.intents.finish(intent.id);
    }
  }
  for (const record of table.list()) {
    try {
      restoreGroup(tree, record);
    } catch (error) {
      log.error({ group: record.name, err: error }, 'a group cannot be made again');
    }
  }
  for (const intent of updates) await finishUpdate(parts, table, intent);
  return table.list();
}

/** Makes a group again where it is missing. The one that it is in must be there. */
export function restoreGroup(tree: CgroupTree, { name, resources }: GroupRecord): void {
  if (hasDirectories(tree, name)) return;
  makeDirectories(tree, name);
  if (!isInForce(tree, name, resources)) limitNew(tree, name, resources);
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

/** What the kernel took before it takes again; what it refuses it refused before, or will for whoever asks again. */
async function finishUpdate(
  { store, tree, log }: GroupParts,
  table: GroupTable,
  { id, objectKey: name, payload }: Intent,
): Promise<void> {
  const record = table.list().find((each) => each.name === name);
  try {
    if (record !== undefined) {
      const { requested } = payload as UpdatePayload;
      const decoded = LinuxResources.decode(Buffer.from(requested, 'base64'));
      const resources = await changeLimits(tree, name, record.resources, decoded);
      store.transaction(() => table.setResources(name, resources));
    }
  } catch (error) {
    log.warn(
      { group: name, err: error },
      'a change of limits that was begun could not be finished',
    );
  }
  store.intents.finish(id);
}
