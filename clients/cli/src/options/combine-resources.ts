import { LinuxResources } from '@teu/proto/type';

/** Puts limits over others: values that are set win, lists that are not empty replace. */
export function combineResources(
  below: LinuxResources | undefined,
  above: LinuxResources,
): LinuxResources {
  const base = below ?? LinuxResources.create();
  return LinuxResources.create({
    cpu: combine(base.cpu, above.cpu),
    memory: combine(base.memory, above.memory),
    pids: combine(base.pids, above.pids),
    blockIo: combine(base.blockIo, above.blockIo),
    devices: isSet(above.devices) ? above.devices : base.devices,
    hugepageLimits: isSet(above.hugepageLimits) ? above.hugepageLimits : base.hugepageLimits,
    unified: { ...base.unified, ...above.unified },
  });
}

/** @returns Undefined if nothing is set in either. */
function combine<T extends object>(below: T | undefined, above: T | undefined): T | undefined {
  if (below === undefined && above === undefined) return undefined;
  const set = Object.entries(above ?? {}).filter(([, value]) => isSet(value));
  if (set.length === 0 && below === undefined) return undefined;
  return { ...above, ...below, ...Object.fromEntries(set) } as T;
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== '' && !(Array.isArray(value) && value.length === 0);
}
