import { isDeepStrictEqual } from 'node:util';
import { teuError } from '@teu/errors';
import { failpoint } from '@teu/failpoint';
import { clock } from '@teu/ids';
import type { Logger } from '@teu/log';
import type { LinuxResources } from '@teu/proto/type';
import type { Store } from '@teu/state';
import { isBelow, keyOfGroup, parentOf } from '../domain/group-path.js';
import { createGroupTable, type GroupRecord, type GroupTable } from '../store/group-table.js';
import type { CgroupTree } from '../tree/cgroup-tree.js';
import { deleteGroup } from '../tree/delete-group.js';
import { isFrozen } from '../tree/freeze-group.js';
import { readProcesses } from '../tree/group-processes.js';
import { OneAtATime } from '../tree/one-at-a-time.js';
import { waitUntil } from '../tree/wait-until.js';
import { copiedBefore, type CopiedBefore } from './copied-limits.js';
import { hasDirectories, makeDirectories } from './group-directories.js';
import { groupBusy, groupExists, groupFrozen, groupNotFound } from './group-errors.js';
import { changeResources, refuseDevices, resourcesOfNew, setResources } from './group-resources.js';
import {
  recoverGroups,
  restoreChanged,
  restoreGroup,
  restoreSlowly,
  type GroupOperation,
} from './recover-groups.js';

/** How long a removal waits for what containers that have ended left. */
const CLEARING_MS = 500;

/** What groups are kept with. */
export interface GroupParts {
  readonly log: Logger;
  readonly store: Store;
  readonly tree: CgroupTree;
}

/**
 * Groups of containers. Their rows are the truth, directories follow them: every change is on disk as an intent before
 * the kernel is told, and as a row before it is answered.
 */
export class Groups {
  readonly #parts: GroupParts;
  readonly #table: GroupTable;
  readonly #records = new Map<string, GroupRecord>();
  /** Groups that are being removed: they are not there any more, and their names are not free yet. */
  readonly #going = new Set<string>();
  /** Groups whose limits could not be set: nobody may begin in them before they are. */
  readonly #unlimited = new Set<string>();
  /** Changes of limits with their rows: some wait for memory to be freed. */
  readonly #changes = new OneAtATime();

  constructor(parts: GroupParts) {
    this.#parts = parts;
    this.#table = createGroupTable(parts.store);
  }

  /** Reads the groups, puts in order what a crash has left, and makes them again where the host has forgotten them. */
  recover(): void {
    const { records, unlimited } = recoverGroups(this.#parts, this.#table);
    for (const record of records) this.#records.set(record.name, record);
    for (const name of unlimited) this.#unlimited.add(name);
  }

  /** All groups below one, or all; ordered by name. */
  list(parent = ''): GroupRecord[] {
    const below = [...this.#records.values()].filter(({ name }) => isBelow(name, parent));
    return below.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** @throws GROUP_NOT_FOUND */
  get(name: string): GroupRecord {
    const record = this.#records.get(name);
    if (record === undefined) throw groupNotFound(name);
    return record;
  }

  /** Number of the groups directly in one. */
  countIn(name: string): number {
    return [...this.#records.keys()].filter((other) => parentOf(other) === name).length;
  }

  /**
   * Gives a group, and makes it again if somebody has removed its directories. Its limits need not be in force.
   * @throws GROUP_NOT_FOUND; what restoreGroup throws if it cannot be made
   */
  ensure(name: string): GroupRecord {
    const record = this.get(name);
    if (!hasDirectories(this.#parts.tree, name)) this.#restore(record);
    return record;
  }

  /**
   * Makes sure that a container can be made in a group.
   * @throws GROUP_NOT_FOUND; INVALID_STATE if the group is frozen, since a program could not begin in it; what
   *   restoreGroup throws if its limits, or those of one that it is in, cannot be set
   */
  requireOpen(name: string): void {
    this.#ensureLimits(name);
    if (isFrozen(this.#parts.tree, keyOfGroup(name))) throw groupFrozen(name);
  }

  /**
   * Tries again to set limits that could not be set before, of a group and of those that it is in, while others are
   * answered.
   * @throws what restoreGroup throws if they cannot be set
   */
  async settle(name: string): Promise<void> {
    if (this.#unlimited.size === 0 || name === '') return;
    await this.settle(parentOf(name));
    await this.#changes.run(name, async () => {
      const record = this.#unlimited.has(name) ? this.#records.get(name) : undefined;
      if (record === undefined) return;
      if (parentOf(name) !== '') this.ensure(parentOf(name));
      await restoreSlowly(this.#parts.tree, record);
      this.#unlimited.delete(name);
    });
  }

  /**
   * Makes a group; the same again is the one that is there.
   * @throws GROUP_NOT_FOUND for the one that it is in; GROUP_EXISTS, RESOURCE_UNSUPPORTED, INVALID_ARGUMENT
   */
  create(
    name: string,
    requested: LinuxResources,
    labels: Readonly<Record<string, string>>,
  ): GroupRecord {
    const { tree } = this.#parts;
    if (parentOf(name) !== '') this.ensure(parentOf(name));
    const resources = resourcesOfNew(tree, name, requested);
    const existing = this.#records.get(name);
    if (existing !== undefined) {
      const asked = { resources, labels };
      const there = { resources: existing.resources, labels: existing.labels };
      if (isDeepStrictEqual(there, asked)) return existing;
      throw groupExists(name);
    }
    if (this.#going.has(name)) throw teuError('CONFLICT', `group "${name}" is being removed`);
    if (parentOf(name) !== '') this.#ensureLimits(parentOf(name));
    return this.#make(name, resources, labels);
  }

  /**
   * Changes limits of a group; what is not requested stays.
   * @param signal - Of who wants it; when it comes while memory is being freed, everything is as it was.
   * @throws GROUP_NOT_FOUND, INVALID_STATE, RESOURCE_UNSUPPORTED, INVALID_ARGUMENT; the signal's reason
   */
  async update(name: string, requested: LinuxResources, signal: AbortSignal): Promise<GroupRecord> {
    refuseDevices(requested);
    this.get(name);
    return this.#changes.run(name, () => this.#update(name, requested, signal));
  }

  async #update(
    name: string,
    requested: LinuxResources,
    signal: AbortSignal,
  ): Promise<GroupRecord> {
    const { store } = this.#parts;
    this.get(name);
    const about = this.#unlimited.has(name) ? undefined : requested;
    const before = copiedBefore(this.#parts.tree, name, about);
    const intent = this.#begin('group-update', name, before);
    try {
      failpoint('cgroup.group-update.after-intent');
      const resources = await this.#change(name, requested, signal);
      failpoint('cgroup.group-update.after-limits');
      // It may have been removed meanwhile.
      const record = { ...this.get(name), resources };
      store.transaction(() => {
        this.#table.setResources(name, resources);
        store.intents.finish(intent);
      });
      this.#records.set(name, record);
      this.#unlimited.delete(name);
    } catch (error) {
      const record = this.#records.get(name);
      if (record !== undefined) this.#repair(record);
      store.intents.finish(intent);
      throw error;
    }
    failpoint('cgroup.group-update.after-record');
    return this.get(name);
  }

  /**
   * Removes a group, and on request the groups in it.
   * @throws GROUP_NOT_FOUND; GROUP_BUSY if containers are in one of them, or groups and they are not to go
   */
  async delete(name: string, recursive: boolean): Promise<void> {
    const { store, tree } = this.#parts;
    this.get(name);
    await this.#whenCleared(name);
    const removed = [this.get(name), ...this.list(name)];
    const containerCount = tree.inhabitants(name).containers.size;
    const groupCount = removed.length - 1;
    if (containerCount > 0 || (groupCount > 0 && !recursive)) {
      throw groupBusy(name, { containerCount, groupCount });
    }
    const intent = this.#begin('group-delete', name);
    this.#setGoing(removed, true);
    try {
      failpoint('cgroup.group-delete.after-intent');
      await deleteGroup(tree, keyOfGroup(name), false, () => undefined);
      failpoint('cgroup.group-delete.after-directories');
    } catch (error) {
      // First of all: a start that found the intent would remove what lives on.
      store.intents.finish(intent);
      this.#setGoing(removed, false);
      for (const record of removed) this.#repair(record);
      throw error;
    }
    store.transaction(() => {
      for (const record of removed) this.#table.delete(record.name);
      store.intents.finish(intent);
    });
    for (const record of removed) {
      this.#going.delete(record.name);
      this.#unlimited.delete(record.name);
    }
    failpoint('cgroup.group-delete.after-record');
  }

  #make(
    name: string,
    resources: LinuxResources,
    labels: Readonly<Record<string, string>>,
  ): GroupRecord {
    const { store, tree } = this.#parts;
    const intent = this.#begin('group-create', name);
    const record = { name, resources, labels, createTime: clock.now() };
    try {
      failpoint('cgroup.group-create.after-intent');
      makeDirectories(tree, name);
      failpoint('cgroup.group-create.after-directories');
      setResources(tree, name, resources);
      failpoint('cgroup.group-create.after-limits');
      store.transaction(() => {
        this.#table.insert(record);
        store.intents.finish(intent);
      });
    } catch (error) {
      tree.removeGroups(name);
      store.intents.finish(intent);
      throw error;
    }
    this.#records.set(name, record);
    failpoint('cgroup.group-create.after-record');
    return record;
  }

  /** What containers that have just ended left is being cleared away; that is worth waiting for. */
  async #whenCleared(name: string): Promise<void> {
    const { tree } = this.#parts;
    if (readProcesses(tree.processGroup(keyOfGroup(name))).length > 0) return;
    await waitUntil(() => tree.inhabitants(name).containers.size === 0, CLEARING_MS);
  }

  /** @returns The limits in force; the record has them not yet. */
  async #change(
    name: string,
    requested: LinuxResources,
    signal: AbortSignal,
  ): Promise<LinuxResources> {
    const { tree } = this.#parts;
    if (this.#unlimited.has(name)) {
      if (parentOf(name) !== '') this.ensure(parentOf(name));
      return restoreChanged(tree, this.get(name), requested, signal);
    }
    return changeResources(tree, name, this.ensure(name).resources, requested, signal);
  }

  /** Gives a group the limits of its record, and so the ones that it is in, if they are not in force. */
  #ensureLimits(name: string): void {
    const record = this.ensure(name);
    if (this.#unlimited.size === 0) return;
    if (parentOf(name) !== '') this.#ensureLimits(parentOf(name));
    if (this.#unlimited.has(name)) this.#restore(record);
  }

  /** Makes a group again whose directories somebody has removed, or whose limits are not in force. */
  #restore(record: GroupRecord): void {
    this.#unlimited.add(record.name);
    if (parentOf(record.name) !== '') this.ensure(parentOf(record.name));
    restoreGroup(this.#parts.tree, record);
    this.#unlimited.delete(record.name);
  }

  /** Has a group follow its record after something else has failed; that is what the caller hears of. */
  #repair(record: GroupRecord): void {
    try {
      this.#restore(record);
    } catch (error) {
      const fields = { group: record.name, err: error };
      this.#parts.log.error(fields, 'the limits of a group are not those of its record');
    }
  }

  #begin(operation: GroupOperation, name: string, before?: CopiedBefore): string {
    const payload = { ...before };
    return this.#parts.store.intents.begin({ operation, objectKey: name, payload });
  }

  #setGoing(records: readonly GroupRecord[], isGoing: boolean): void {
    for (const record of records) {
      if (isGoing) {
        this.#records.delete(record.name);
        this.#going.add(record.name);
      } else {
        this.#records.set(record.name, record);
        this.#going.delete(record.name);
      }
    }
  }
}
