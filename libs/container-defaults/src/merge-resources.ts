import { LinuxResources } from '@teu/proto/type';

/** Changes limits: values that are set win, lists that are not empty replace, and so do entries of unified. */
export function mergeResources(
  before: LinuxResources | undefined,
  change: LinuxResources,
): LinuxResources {
  const base = before ?? LinuxResources.create();
  return LinuxResources.create({
    cpu: merge(base.cpu, change.cpu),
    memory: merge(base.memory, change.memory),
    pids: merge(base.pids, change.pids),
    blockIo: merge(base.blockIo, change.blockIo),
    devices: isSet(change.devices) ? change.devices : base.devices,
    hugepageLimits: isSet(change.hugepageLimits) ? change.hugepageLimits : base.hugepageLimits,
    unified: { ...base.unified, ...change.unified },
  });
}

/** Whether any limit is asked for. */
export function hasResources(resources: LinuxResources | undefined): boolean {
  const parts: unknown[] = Object.values(resources ?? {});
  return parts.some((part) => part !== undefined && Object.keys(part as object).length > 0);
}

/** @returns Undefined if nothing is set in either. */
function merge<T extends object>(before: T | undefined, change: T | undefined): T | undefined {
  const set = Object.entries(change ?? {}).filter(([, value]) => isSet(value));
  if (set.length === 0) return before;
  return { ...change, ...before, ...Object.fromEntries(set) } as T;
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== '' && !(Array.isArray(value) && value.length === 0);
}
