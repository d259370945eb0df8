import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, rmdirSync, writeSync } from 'node:fs';
import {
  CgroupServiceService as Service,
  CreateCgroupRequest,
  type Cgroup,
} from '@teu/proto/cgroup';
import { LinuxResources } from '@teu/proto/type';
import { checkExposition, type TestTeu } from '@teu/testing';
import { quantile, table } from '../harness/statistics.js';
import { readMetrics } from './metrics.js';

const MEBIBYTE = 1 << 20;

/** Ten limits. */
const resources = LinuxResources.fromPartial({
  cpu: { shares: 512, quota: 50_000, period: 200_000, cpus: '0', mems: '0' },
  memory: { limit: 64 * MEBIBYTE, reservation: 32 * MEBIBYTE, swap: 128 * MEBIBYTE },
  pids: { limit: 100 },
  blockIo: { weight: 500 },
});

/**
 * What the kernel alone takes for them on version 1, beside devices: files, in the order in which the service writes
 * them.
 */
const V1_WRITES: readonly [hierarchy: string, file: string, value: string][] = [
  ['cpuset', 'cpuset.cpus', '0'],
  ['cpuset', 'cpuset.mems', '0'],
  ['cpu', 'cpu.shares', '512'],
  ['cpu', 'cpu.cfs_period_us', '200000'],
  ['cpu', 'cpu.cfs_quota_us', '50000'],
  ['memory', 'memory.limit_in_bytes', String(64 * MEBIBYTE)],
  ['memory', 'memory.memsw.limit_in_bytes', String(128 * MEBIBYTE)],
  ['memory', 'memory.soft_limit_in_bytes', String(32 * MEBIBYTE)],
  ['pids', 'pids.max', '100'],
  ['blkio', 'blkio.bfq.weight', '500'],
];

/** The devices that every container may use: one write(2) each, all to one file. */
const V1_DEVICES = [
  ...['1:3', '1:5', '1:7', '1:8', '1:9', '5:0', '5:1', '5:2', '136:*'].map((x) => `c ${x} rwm`),
  'c 0:0 m',
];

/** The same on version 2, all in one directory. */
const V2_WRITES: readonly [file: string, value: string][] = [
  ['cpuset.cpus', '0'],
  ['cpuset.mems', '0'],
  ['cpu.weight', '59'],
  ['cpu.max', '50000 200000'],
  ['memory.max', String(64 * MEBIBYTE)],
  ['memory.swap.max', String(64 * MEBIBYTE)],
  ['memory.low', String(32 * MEBIBYTE)],
  ['pids.max', '100'],
  ['io.bfq.weight', '500'],
];

/** Times CreateCgroup with ten limits: through the socket, in the service, and what the kernel takes of it. */
export async function creationReport(engine: TestTeu, rounds: number): Promise<string> {
  const channel = engine.channel('cgroup');
  const times = {
    socket: [] as number[],
    service: [] as number[],
    empty: [] as number[],
    floor: [] as number[],
  };
  const busy = async (): Promise<number> =>
    1000 *
    (checkExposition(await readMetrics(engine)).get('teu_cgroup_creation_seconds_total') ?? NaN);
  let busyBefore = await busy();
  for (let round = 0; round < rounds; round += 1) {
    const id = randomBytes(32).toString('hex');
    let begin = performance.now();
    await channel.unary(Service.getHierarchy, {});
    times.empty.push(performance.now() - begin);
    begin = performance.now();
    const request = CreateCgroupRequest.create({ id, resources });
    const { cgroup } = await channel.unary(Service.createCgroup, request);
    times.socket.push(performance.now() - begin);
    const busyNow = await busy();
    times.service.push(busyNow - busyBefore);
    busyBefore = busyNow;
    await channel.unary(Service.deleteCgroup, { id, force: false, run: undefined });
    times.floor.push(kernelAlone(cgroup));
  }
  const rows = [
    ['the kernel alone: mkdir and write of each', times.floor],
    ['in the service', times.service],
    ['through the socket', times.socket],
    ['an empty call through the socket', times.empty],
  ] as const;
  const cells = rows.map(([what, samples]) => [
    what,
    ...[0.5, 0.9, 0.99].map((share) => quantile(samples, share).toFixed(2)),
  ]);
  return table([['CreateCgroup with ten limits, ms', 'p50', 'p90', 'p99'], ...cells]);
}

/** Makes the same directories beside those of the service and writes the same values, in milliseconds. */
function kernelAlone(cgroup: Cgroup | undefined): number {
  const { v1TasksPaths = [], v2Directory = '' } = cgroup?.membership ?? {};
  const name = `-floor`;
  const v1 = v1TasksPaths.map((path) => path.replace(/\/tasks$/, name));
  const directories = [...v1, ...(v2Directory === '' ? [] : [v2Directory + name])];
  const writes = directories.flatMap((directory) => writesTo(directory));
  const begin = performance.now();
  for (const directory of directories) mkdirSync(directory);
  for (const [path, ...values] of writes) write(path, values);
  const elapsed = performance.now() - begin;
  for (const directory of directories.reverse()) rmdirSync(directory);
  return elapsed;
}

function writesTo(directory: string): [path: string, ...values: string[]][] {
  if (directory.split('/').includes('devices')) {
    return [
      [`${directory}/devices.deny`, 'a'],
      [`${directory}/devices.allow`, ...V1_DEVICES],
    ];
  }
  const v1 = V1_WRITES.filter(([hierarchy]) => directory.split('/').includes(hierarchy));
  if (v1.length > 0) return v1.map(([, file, value]) => [`${directory}/${file}`, value]);
  // On a hybrid host none of the files is there.
  const parent = directory.slice(0, directory.lastIndexOf('/'));
  const v2 = V2_WRITES.filter(([file]) => existsSync(`${parent}/${file}`));
  return v2.map(([file, value]) => [`${directory}/${file}`, value]);
}

function write(path: string, values: readonly string[]): void {
  const fd = openSync(path, 'w');
  for (const value of values) writeSync(fd, value);
  closeSync(fd);
}
