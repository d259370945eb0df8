import { accessWhere, type DeviceRule } from './device-rule.js';

/** A list as version 1 keeps it: either nothing but the entries is allowed, or everything but them. */
export interface DeviceList {
  readonly allowsOthers: boolean;
  /** Of types "b" and "c". */
  readonly entries: readonly DeviceRule[];
}

/** What no list of version 1 can say, as one rule takes away a part of what another gives. */
export class InexpressibleRule extends Error {
  readonly rule: DeviceRule;

  constructor(rule: DeviceRule) {
    super('no list can say this');
    this.name = 'InexpressibleRule';
    this.rule = rule;
  }
}

/**
 * Makes a list of rules of which later ones win. The kernel's own list cannot be told rule by rule: it takes entries
 * away only if they are the very same (devices.rst of version 1).
 *
 * @throws InexpressibleRule
 */
export function deviceListOf(rules: readonly DeviceRule[]): DeviceList {
  let list: DeviceList = { allowsOthers: false, entries: [] };
  for (const rule of rules) {
    if (isEverything(rule)) {
      list = { allowsOthers: rule.allow, entries: [] };
      continue;
    }
    for (const type of rule.type === 'a' ? (['b', 'c'] as const) : [rule.type]) {
      const single = { ...rule, type };
      const isException = rule.allow !== list.allowsOthers;
      const entries = isException ? withEntry(list.entries, single) : without(list.entries, single);
      list = { ...list, entries };
    }
  }
  return list;
}

function isEverything({ type, major, minor, access }: DeviceRule): boolean {
  return type === 'a' && major === undefined && minor === undefined && access === 'rwm';
}

function withEntry(entries: readonly DeviceRule[], added: DeviceRule): readonly DeviceRule[] {
  const same = entries.find((entry) => covers(entry, added) && covers(added, entry));
  if (same === undefined) return [...entries, added];
  const access = accessWhere((x) => same.access.includes(x) || added.access.includes(x));
  return entries.map((entry) => (entry === same ? { ...same, access } : entry));
}

function without(entries: readonly DeviceRule[], removed: DeviceRule): readonly DeviceRule[] {
  return entries.flatMap((entry) => {
    const left = accessWhere((x) => entry.access.includes(x) && !removed.access.includes(x));
    if (left === entry.access || !overlap(entry, removed)) return [entry];
    if (!covers(removed, entry)) throw new InexpressibleRule(removed);
    return left === '' ? [] : [{ ...entry, access: left }];
  });
}

/** Whether all devices of one rule are among those of another. */
function covers(wide: DeviceRule, narrow: DeviceRule): boolean {
  return (
    wide.type === narrow.type &&
    (wide.major ?? narrow.major) === narrow.major &&
    (wide.minor ?? narrow.minor) === narrow.minor
  );
}

function overlap(a: DeviceRule, b: DeviceRule): boolean {
  const meet = (one?: number, other?: number): boolean => (one ?? other) === (other ?? one);
  return a.type === b.type && meet(a.major, b.major) && meet(a.minor, b.minor);
}
