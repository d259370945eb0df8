/** Where a limit is found; the two versions name controllers and files differently. */
export interface Place {
  readonly controller: string;
  readonly file: string;
}

const at = (controller: string, file: string): Place => ({ controller, file });
const same = (place: Place): Record<1 | 2, Place> => ({ 1: place, 2: place });

const PLACES = {
  shares: { 1: at('cpu', 'cpu.shares'), 2: at('cpu', 'cpu.weight') },
  quota: { 1: at('cpu', 'cpu.cfs_quota_us'), 2: at('cpu', 'cpu.max') },
  period: { 1: at('cpu', 'cpu.cfs_period_us'), 2: at('cpu', 'cpu.max') },
  burst: { 1: at('cpu', 'cpu.cfs_burst_us'), 2: at('cpu', 'cpu.max.burst') },
  cpus: same(at('cpuset', 'cpuset.cpus')),
  mems: same(at('cpuset', 'cpuset.mems')),
  memory: { 1: at('memory', 'memory.limit_in_bytes'), 2: at('memory', 'memory.max') },
  reservation: { 1: at('memory', 'memory.soft_limit_in_bytes'), 2: at('memory', 'memory.low') },
  swap: { 1: at('memory', 'memory.memsw.limit_in_bytes'), 2: at('memory', 'memory.swap.max') },
  pids: same(at('pids', 'pids.max')),
  hugepages: {
    1: at('hugetlb', 'hugetlb.2MB.limit_in_bytes'),
    2: at('hugetlb', 'hugetlb.2MB.max'),
  },
  readBps: { 1: at('blkio', 'blkio.throttle.read_bps_device'), 2: at('io', 'io.max') },
  writeIops: { 1: at('blkio', 'blkio.throttle.write_iops_device'), 2: at('io', 'io.max') },
} satisfies Record<string, Record<1 | 2, Place>>;

export type Limit = keyof typeof PLACES;

/** Finds the file of a limit on a host, by the version that its controller is on. */
export function limitFileOf(
  limit: Limit,
  versionOf: (controller: string) => number | undefined,
): Place {
  const { 1: first, 2: second } = PLACES[limit];
  return versionOf(first.controller) === 1 ? first : second;
}
