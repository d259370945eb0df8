import { mergeResources } from '@teu/container-defaults';
import type { LinuxBlockIo, LinuxCpu, LinuxMemory, LinuxResources } from '@teu/proto/type';
import { UsageError } from '../cli-error.js';
import type { Invocation } from '../command.js';
import { list, flag, value } from './option-specs.js';
import type { OptionSpec, ParsedOptions } from './parse-options.js';
import {
  cpuPeriodMicroseconds,
  parseBytesOrUnlimited,
  parseCpus,
  parseWholeNumber,
} from './quantities.js';
import {
  parseDeviceByteRate,
  parseDeviceRate,
  parseDeviceRule,
  parseDeviceWeight,
  parseHugepageLimit,
  parseUnified,
} from './resource-values.js';
import { readResourcesFile } from './resources-file.js';

/** Options that limit a container or a group; all but ours have docker's words. */
export const resourceOptions: readonly OptionSpec[] = [
  value('memory', 'BYTES', 'most memory, for example 64m; -1 for no limit', 'm'),
  value('memory-swap', 'BYTES', 'most memory and swap together; -1 for no limit of swap'),
  value('memory-reservation', 'BYTES', 'memory it keeps under pressure'),
  value('memory-high', 'BYTES', 'memory above which it is slowed down (cgroups of version 2)'),
  value('memory-swappiness', 'NUMBER', 'how readily it swaps, 0 to 100 (cgroups of version 1)'),
  flag('oom-kill-disable', 'let it wait at its memory limit (cgroups of version 1)'),
  value('cpus', 'NUMBER', 'most CPU time, for example 1.5'),
  value('cpu-shares', 'NUMBER', 'weight against other containers, usual is 1024', 'c'),
  value('cpu-quota', 'MICROSECONDS', 'most CPU time in a period; -1 for no limit'),
  value('cpu-period', 'MICROSECONDS', 'length of a period, usual is 100000'),
  value('cpu-burst', 'MICROSECONDS', 'unused CPU time that may be saved up'),
  value('cpuset-cpus', 'LIST', 'processors it may use, for example 0-2,4'),
  value('cpuset-mems', 'LIST', 'memory nodes it may use, for example 0'),
  value('pids-limit', 'NUMBER', 'most processes and threads; -1 for no limit'),
  value('blkio-weight', 'NUMBER', 'weight on block devices, 10 to 1000'),
  list('blkio-weight-device', 'DEVICE:NUMBER', 'weight on one block device'),
  list('device-read-bps', 'DEVICE:BYTES', 'most bytes read from it in a second, for example 1m'),
  list('device-write-bps', 'DEVICE:BYTES', 'most bytes written to it in a second'),
  list('device-read-iops', 'DEVICE:NUMBER', 'most reads from it in a second'),
  list('device-write-iops', 'DEVICE:NUMBER', 'most writes to it in a second'),
  list('device-cgroup-rule', 'RULE', 'device nodes it may use, for example "c 10:229 rw"'),
  list('hugetlb-limit', 'SIZE=BYTES', 'most huge pages of a size, for example 2MB=64m'),
  list('cgroup-option', 'FILE=VALUE', 'a file of its cgroup and its value (version 2)'),
  {
    ...value('resources', 'FILE', 'OCI linux.resources block in JSON; - for standard input'),
    completes: 'files',
  },
];

/**
 * The limits that the options ask for: those of `--resources`, and over them the single ones.
 *
 * @throws UsageError naming the option that cannot be right
 */
export async function resourcesOf({ context, options }: Invocation): Promise<LinuxResources> {
  const file = options.value('resources');
  const block = file === undefined ? undefined : await readResourcesFile(context, file);
  return mergeResources(block, {
    cpu: cpuOf(options),
    memory: memoryOf(options),
    pids: pidsOf(options),
    blockIo: blockIoOf(options),
    devices: options.list('device-cgroup-rule').map(parseDeviceRule),
    hugepageLimits: options.list('hugetlb-limit').map(parseHugepageLimit),
    unified: parseUnified(options.list('cgroup-option')),
  });
}

/**
 * Limits of something new, which are all there are.
 *
 * @throws UsageError if they contradict each other
 */
export function checkNewLimits({ memory }: LinuxResources): void {
  const { limit, swap } = memory ?? {};
  if (swap === undefined) return;
  if (limit === undefined) throw new UsageError('--memory-swap needs --memory');
  if (swap !== -1 && swap < limit) {
    throw new UsageError('--memory-swap counts memory and swap, so it can’t be below --memory');
  }
}

/** Whether the options ask for anything. */
export function isAnyGiven(resources: LinuxResources): boolean {
  return Object.values(resources).some(
    (part) => part !== undefined && Object.keys(part as object).length > 0,
  );
}

type Parser<T> = (text: string, option: string) => T;

function given<T>(options: ParsedOptions, name: string, parse: Parser<T>): T | undefined {
  const text = options.value(name);
  return text === undefined ? undefined : parse(text, `--${name}`);
}

const whole =
  (min: number, max = Number.MAX_SAFE_INTEGER): Parser<number> =>
  (text, option) =>
    parseWholeNumber(text, option, min, max);

function cpuOf(options: ParsedOptions): LinuxCpu {
  const cpus = given(options, 'cpus', parseCpus);
  const quota = given(options, 'cpu-quota', whole(-1));
  const period = given(options, 'cpu-period', whole(1000, 1_000_000));
  if (cpus !== undefined && (quota ?? period) !== undefined) {
    throw new UsageError('--cpus is a quota of a period: give it, or --cpu-quota and --cpu-period');
  }
  return {
    shares: given(options, 'cpu-shares', whole(2, 262_144)),
    quota: cpus ?? quota,
    period: cpus === undefined ? period : cpuPeriodMicroseconds,
    burst: given(options, 'cpu-burst', whole(0)),
    cpus: options.value('cpuset-cpus') ?? '',
    mems: options.value('cpuset-mems') ?? '',
  };
}

function memoryOf(options: ParsedOptions): LinuxMemory {
  // A flag that was given says the same whatever it would be otherwise.
  const disabled = options.flag('oom-kill-disable');
  const isGiven = disabled === options.flag('oom-kill-disable', !disabled);
  return {
    limit: given(options, 'memory', parseBytesOrUnlimited),
    reservation: given(options, 'memory-reservation', parseBytesOrUnlimited),
    swap: given(options, 'memory-swap', parseBytesOrUnlimited),
    high: given(options, 'memory-high', parseBytesOrUnlimited),
    swappiness: given(options, 'memory-swappiness', whole(0, 100)),
    disableOomKiller: isGiven ? disabled : undefined,
  };
}

function pidsOf(options: ParsedOptions): { limit?: number | undefined } {
  return { limit: given(options, 'pids-limit', whole(-1, 4_194_304)) };
}

function blockIoOf(options: ParsedOptions): LinuxBlockIo {
  return {
    weight: given(options, 'blkio-weight', whole(10, 1000)),
    weightDevices: options.list('blkio-weight-device').map(parseDeviceWeight),
    throttleReadBpsDevices: rates(options, 'device-read-bps', parseDeviceByteRate),
    throttleWriteBpsDevices: rates(options, 'device-write-bps', parseDeviceByteRate),
    throttleReadIopsDevices: rates(options, 'device-read-iops', parseDeviceRate),
    throttleWriteIopsDevices: rates(options, 'device-write-iops', parseDeviceRate),
  };
}

function rates<T>(options: ParsedOptions, name: string, parse: Parser<T>): T[] {
  return options.list(name).map((text) => parse(text, `--${name}`));
}
