import type { LinuxDeviceRule } from '@teu/proto/type';
import { DEFAULT_DEVICES } from '../../domain/default-devices.js';
import { deviceListOf, InexpressibleRule, type DeviceList } from '../../domain/device-list.js';
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
    setList(tree, id, hierarchy, listOf(rules));
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

function listOf(rules: readonly DeviceRule[]): DeviceList {
  try {
    return deviceListOf(rules);
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

/**
 * Brings a group's list to what it shall be (kernel: Documentation/admin-guide/cgroup-v1/devices.rst). What stays
 * allowed is allowed all the time, unless the list turns from all but some to only some.
 */
function setList(tree: CgroupTree, id: string, hierarchy: Hierarchy, list: DeviceList): void {
  const group = tree.groupIn(hierarchy, id);
  const write = (file: 'devices.allow' | 'devices.deny', texts: readonly string[]): void =>
    performWrites(tree, id, { hierarchy, file, field: DEVICES_FIELD }, texts);
  const wanted = list.entries.map(formatDevices);
  if (list.allowsOthers) {
    write('devices.allow', ['a']);
    write('devices.deny', wanted);
    return;
  }
  const present = readGroupFile(`${group}/devices.list`).split('\n').filter(Boolean);
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
