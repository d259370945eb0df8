import type { LinuxBlockIo } from '@teu/proto/type';

/** The lists of rates of a request. */
export type RateName = keyof Pick<
  LinuxBlockIo,
  | 'throttleReadBpsDevices'
  | 'throttleWriteBpsDevices'
  | 'throttleReadIopsDevices'
  | 'throttleWriteIopsDevices'
>;

/** One list of rates. */
export interface RateList {
  readonly name: RateName;
  readonly field: string;
  /** File of version 1 (blkio-controller.rst): lines "254:0 1048576"; 0 for no limit. */
  readonly v1: string;
  /** Key in io.max of version 2 (cgroup-v2.rst): lines "254:0 rbps=1048576 wbps=max"; "max" for no limit. */
  readonly v2: string;
}

const PREFIX = 'resources.block_io.throttle_';

export const RATE_LISTS: readonly RateList[] = [
  rates('throttleReadBpsDevices', 'read_bps', 'rbps'),
  rates('throttleWriteBpsDevices', 'write_bps', 'wbps'),
  rates('throttleReadIopsDevices', 'read_iops', 'riops'),
  rates('throttleWriteIopsDevices', 'write_iops', 'wiops'),
];

function rates(name: RateName, what: string, v2: string): RateList {
  return { name, field: `${PREFIX}${what}_devices`, v1: `blkio.throttle.${what}_device`, v2 };
}

/** Values by device, "254:0". */
export type ByDevice = ReadonlyMap<string, number>;

/** Reads the rates of one list out of a file's text; devices without a limit are left out. */
export function ratesIn(text: string, list: RateList, version: 1 | 2): ByDevice {
  const found = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [device, ...rest] = line.trim().split(' ');
    const value =
      version === 1
        ? rest[0]
        : rest.find((word) => word.startsWith(`${list.v2}=`))?.slice(list.v2.length + 1);
    if (device !== undefined && value !== undefined && value !== 'max') {
      found.set(device, Number(value));
    }
  }
  return found;
}

/** What sets the rate of one device; 0 for no limit. */
export function rateLine(device: string, rate: number, list: RateList, version: 1 | 2): string {
  if (version === 1) return `${device} ${rate}`;
  return `${device} ${list.v2}=${rate === 0 ? 'max' : rate}`;
}

/** Reads weights of single devices: lines "254:0 200", among others. */
export function weightsIn(text: string): ByDevice {
  const lines = [...text.matchAll(/^(\d+:\d+) (\d+)$/gm)];
  return new Map(lines.map(([, device = '', weight]) => [device, Number(weight)]));
}

/** Orders entries by the numbers of their devices. */
export function sortedByDevice(values: ByDevice): [major: number, minor: number, value: number][] {
  const entries = [...values].map(([device, value]): [number, number, number] => {
    const [major, minor] = device.split(':').map(Number);
    return [major ?? 0, minor ?? 0, value];
  });
  return entries.sort(([a, b], [c, d]) => a - c || b - d);
}
