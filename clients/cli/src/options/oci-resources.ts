import {
  LinuxBlockIo,
  LinuxCpu,
  LinuxDeviceRule,
  LinuxResources,
  LinuxThrottleDevice,
  LinuxWeightDevice,
  type LinuxHugepageLimit,
  type LinuxMemory,
  type LinuxPids,
} from '@teu/proto/type';
import { BlockReader, type Fields } from './block-reader.js';

/**
 * Maps a linux.resources object of the OCI runtime specification (config-linux.md) to the limits of the API.
 *
 * @throws UsageError for keys that are unknown, of the wrong type, or of what TEU does not have
 */
export function resourcesOfOci(block: unknown): LinuxResources {
  const reader = BlockReader.of(block, 'resources');
  const resources = LinuxResources.create({
    cpu: reader.object('cpu', cpuOf),
    memory: reader.object('memory', memoryOf),
    pids: reader.object('pids', pidsOf),
    blockIo: reader.object('blockIO', blockIoOf),
    devices: withoutFirstDenial(reader.objects('devices', deviceRuleOf)),
    hugepageLimits: reader.objects('hugepageLimits', hugepageLimitOf),
    unified: reader.texts('unified'),
  });
  reader.lacks('network', 'rdma');
  reader.end();
  return resources;
}

function cpuOf(fields: Fields): LinuxCpu {
  const cpu = LinuxCpu.create({
    shares: fields.number('shares'),
    quota: fields.number('quota'),
    period: fields.number('period'),
    burst: fields.number('burst'),
    cpus: fields.text('cpus') ?? '',
    mems: fields.text('mems') ?? '',
  });
  fields.accept('idle', 0);
  fields.lacks('realtimeRuntime', 'realtimePeriod');
  return cpu;
}

function memoryOf(fields: Fields): LinuxMemory {
  const memory: LinuxMemory = {
    limit: fields.number('limit'),
    reservation: fields.number('reservation'),
    swap: fields.number('swap'),
    swappiness: fields.number('swappiness'),
    disableOomKiller: fields.truth('disableOOMKiller'),
  };
  // No limit of kernel memory of its own is what there always is; so are accounting for what is below, and the check.
  fields.accept('kernel', -1);
  fields.accept('kernelTCP', -1);
  fields.accept('useHierarchy', true);
  fields.accept('checkBeforeUpdate', true);
  return memory;
}

function pidsOf(fields: Fields): LinuxPids {
  return { limit: fields.number('limit') };
}

function blockIoOf(fields: Fields): LinuxBlockIo {
  const blockIo = LinuxBlockIo.create({
    weight: fields.number('weight'),
    weightDevices: fields.objects('weightDevice', (device) => {
      device.lacks('leafWeight');
      return LinuxWeightDevice.create({ ...numbersOf(device), weight: device.need('weight') });
    }),
    throttleReadBpsDevices: fields.objects('throttleReadBpsDevice', rateOf),
    throttleWriteBpsDevices: fields.objects('throttleWriteBpsDevice', rateOf),
    throttleReadIopsDevices: fields.objects('throttleReadIOPSDevice', rateOf),
    throttleWriteIopsDevices: fields.objects('throttleWriteIOPSDevice', rateOf),
  });
  fields.lacks('leafWeight');
  return blockIo;
}

function rateOf(fields: Fields): LinuxThrottleDevice {
  return LinuxThrottleDevice.create({ ...numbersOf(fields), rate: fields.need('rate') });
}

function numbersOf(fields: Fields): { major: number; minor: number } {
  return { major: fields.need('major'), minor: fields.need('minor') };
}

function hugepageLimitOf(fields: Fields): LinuxHugepageLimit {
  return { pageSize: fields.text('pageSize') ?? '', limit: fields.need('limit') };
}

/** In the specification a number that is absent, or -1, stands for any. */
function deviceRuleOf(fields: Fields): LinuxDeviceRule {
  const any = (number: number | undefined): number | undefined =>
    number === -1 ? undefined : number;
  return LinuxDeviceRule.create({
    allow: fields.truth('allow') ?? false,
    type: fields.text('type') ?? 'a',
    major: any(fields.number('major')),
    minor: any(fields.number('minor')),
    access: fields.text('access') ?? 'rwm',
  });
}

/**
 * Blocks begin with a rule that denies everything, and runtimes allow the default devices after all rules. Here
 * the list begins with everything denied and the default devices allowed, so that rule has nothing to do.
 */
function withoutFirstDenial(rules: LinuxDeviceRule[]): LinuxDeviceRule[] {
  const isDenialOfAll = ({ allow, type, major, minor, access }: LinuxDeviceRule): boolean =>
    !allow && type === 'a' && (major ?? minor) === undefined && access.length === 3;
  const first = rules.findIndex((rule) => !isDenialOfAll(rule));
  return first < 0 ? [] : rules.slice(first);
}
