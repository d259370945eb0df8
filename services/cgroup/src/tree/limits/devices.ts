import type { LinuxDeviceRule } from '@teu/proto/type';
import { DEFAULT_DEVICES } from '../../domain/default-devices.js';
import { deviceListOf, InexpressibleRule } from '../../domain/device-list.js';
import {
  DEVICES_FIELD,
  formatDevices,
  parseDeviceRules,
  type DeviceRule,
} from '../../domain/device-rule.js';
import { hierarchyOf, type Hierarchy } from '../../domain/host.js';
import type { CgroupTree } from '../cgroup-tree.js';
import { readGroupFile } from '../group-files.js';
import type { DeviceFilter } from './device-filter.js';
import { performWrites } from './group-write.js';
import { unsupported } from './limit-family.js';

/**
 * Sets the devices that a group may use: the default ones and what the rules say beyond. On version 1 each
 * group has a list of its own, because one below another can't be allowed more than it. On version 2 the engine's
 * group has a program with the default list, and a group with rules of its own gets one of its own.
 *
 * @param state - A new group without rules of its own needs no program.
 * @throws INVALID_ARGUMENT, RESOURCE_UNSUPPORTED
 */
export function setDevices(
  tree: CgroupTree,
  id: string,
  requested: readonly LinuxDeviceRule[],
  state: 'new' | 'live',
): void {
  const rules = [...DEFAULT_DEVICES, ...parseDeviceRules(requested)];
  const hierarchy = hierarchyOf(tree.host, 'devices');
  if (hierarchy !== undefined) {
    const list = requested.length === 0 ? DEFAULT_LIST : listTextsOf(rules);
    setList(listFiles(tree, id, hierarchy), list, state);
    return;
  }
  const found = filterOf(tree);
  if (found !== undefined) {
    if (state === 'live' || requested.length > 0) {
      found.filter.attach(tree.groupIn(found.hierarchy, id), rules, 'final');
    }
  } else if (requested.length > 0) {
    throw unsupported(DEVICES_FIELD, 'it has no way to limit devices');
  }
}

/**
 * Gives the engine's group the program with the default list, which the groups below have as long as they have none
 * of their own. Not needed where the controller of version 1 is.
 *
 * @throws RESOURCE_UNSUPPORTED
 */
export function setDefaultDevices(tree: CgroupTree): void {
  const found = filterOf(tree);
  if (found === undefined || hierarchyOf(tree.host, 'devices') !== undefined) return;
  const group = `${found.hierarchy.mountPath}/${tree.groupPath}`;
  found.filter.attach(group, DEFAULT_DEVICES, 'overridable');
}

function filterOf(tree: CgroupTree): { filter: DeviceFilter; hierarchy: Hierarchy } | undefined {
  const hierarchy = tree.host.hierarchies.find(({ version }) => version === 2);
  const filter = tree.deviceFilter;
  return hierarchy === undefined || filter === undefined ? undefined : { filter, hierarchy };
}

/** A list of version 1 as it is written. */
interface ListTexts {
  readonly allowsOthers: boolean;
  readonly entries: readonly string[];
}

/** What nearly every group has. */
const DEFAULT_LIST = listTextsOf(DEFAULT_DEVICES);

function listTextsOf(rules: readonly DeviceRule[]): ListTexts {
  try {
    const { allowsOthers, entries } = deviceListOf(rules);
    return { allowsOthers, entries: entries.map(formatDevices) };
  } catch (error) {
    if (!(error instanceof InexpressibleRule)) throw error;
    const rule = formatDevices(error.rule);
    throw unsupported(
      DEVICES_FIELD,
      `no list of version 1 can leave "${rule}" out of another rule`,
    );
  }
}

/** What a list of version 1 that allows everything says; it does not show its exceptions. */
const EVERYTHING = 'a *:* rwm';

/** The files of a group's list. */
interface ListFiles {
  readonly write: (file: 'devices.allow' | 'devices.deny', texts: readonly string[]) => void;
  /** Gives the entries. */
  readonly read: () => string[];
}

function listFiles(tree: CgroupTree, id: string, hierarchy: Hierarchy): ListFiles {
  return {
    write: (file, texts) =>
      performWrites(tree, id, { hierarchy, file, field: DEVICES_FIELD }, texts),
    read: () => {
      const text = readGroupFile(`${tree.groupIn(hierarchy, id)}/devices.list`);
      return text.split('\n').filter(Boolean);
    },
  };
}

/**
 * Brings a group's list to what it shall be (kernel: Documentation/admin-guide/cgroup-v1/devices.rst). What stays
 * allowed is allowed all the time, unless the list turns from all but some to only some.
 *
 * @param state - The list of a new group does not matter: it is a copy, and nobody is in the group to miss anything.
 */
function setList(
  { read, write }: ListFiles,
  { allowsOthers, entries: wanted }: ListTexts,
  state: 'new' | 'live',
): void {
  if (allowsOthers) {
    write('devices.allow', ['a']);
    write('devices.deny', wanted);
    return;
  }
  const present = state === 'new' ? [EVERYTHING] : read();
  const allowsAll = present.includes(EVERYTHING);
  if (allowsAll) write('devices.deny', ['a']);
  const left = allowsAll ? [] : present;
  write('devices.allow', without(wanted, left));
  write('devices.deny', without(left, wanted));
  // Of two entries for one device, the one that was taken away may have taken from the other.
  if (left.length > 0) write('devices.allow', wanted);
}

function without(texts: readonly string[], others: readonly string[]): string[] {
  return texts.filter((text) => !others.includes(text));
}
