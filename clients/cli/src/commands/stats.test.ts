import { join } from 'node:path';
import { teuError } from '@teu/errors';
import { silentLogger } from '@teu/log';
import {
  CgroupServiceService,
  CpuStats,
  IoStats,
  MemoryStats,
  PidsStats,
  Pressure,
  PressureStats,
  Stats,
  StatsEntry,
  type WatchStatsRequest,
} from '@teu/proto/cgroup';
import { Container, ContainerState, EngineServiceService } from '@teu/proto/engine';
import { implement, startRpcServer, type Handlers, type RpcServer } from '@teu/rpc';
import { tempDir, type TempDir } from '@teu/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Context } from '../context.js';
import { runProgram } from '../program.js';
import { ServiceConnections } from '../services.js';
import { fakeContext } from '../testing/fake-context.js';
import { candidates } from './complete.js';

const WEB = 'ab'.repeat(32);
const DB = 'cd'.repeat(32);
const ENDED = '12'.repeat(32);
/** Kept ready for the next run: a cgroup, but no container. */
const WARM = 'ef'.repeat(32);
const MEBIBYTE = 1 << 20;

let directory: TempDir;
let servers: RpcServer[];
let services: ServiceConnections;
let asked: WatchStatsRequest[];
let samples: StatsEntry[][];

/** Figures at so many milliseconds, after so many of CPU time. */
function figures(atMs: number, cpuMs: number, parts: Partial<Stats> = {}): Stats {
  const nanos = cpuMs * 1e6;
  return Stats.create({
    readTime: new Date(1_700_000_000_000 + atMs),
    cpu: CpuStats.create({ usageDuration: { seconds: 0, nanos } }),
    // The limit is the group's.
    memory: MemoryStats.create({
      workingSetBytes: 5 * MEBIBYTE,
      limitBytes: -1,
      effectiveLimitBytes: 64 * MEBIBYTE,
    }),
    pids: PidsStats.create({ currentCount: 3 }),
    io: IoStats.create({ readBytes: 4096, writeBytes: 2_000_000 }),
    ...parts,
  });
}

const entry = (containerId: string, name: string, stats: Stats, group = ''): StatsEntry =>
  StatsEntry.create({ containerId, name, group, stats });

const cgroup: Partial<Handlers<typeof CgroupServiceService>> = {
  watchStats: async function* (request) {
    asked.push(request);
    if (request.group === 'gone') throw teuError('GROUP_NOT_FOUND', 'there is no group "gone"');
    for (const sample of samples) {
      yield { entries: sample.slice(0, 1), complete: sample.length <= 1 };
      if (sample.length > 1) yield { entries: sample.slice(1), complete: true };
    }
  },
};
const running = ContainerState.CONTAINER_STATE_RUNNING as ContainerState;
const container = (id: string, name: string, state = running) =>
  Container.create({ id, name, state });
const containers = [
  container(WEB, 'web'),
  container(DB, 'db'),
  container(ENDED, 'ended', ContainerState.CONTAINER_STATE_EXITED),
];
const engine: Partial<Handlers<typeof EngineServiceService>> = {
  getContainer: async (request) => {
    const found = containers.find(({ name }) => name === request.container);
    if (found === undefined) throw teuError('CONTAINER_NOT_FOUND', 'no such container');
    return { container: found };
  },
  listContainers: async () => ({ containers, nextPageToken: '' }),
};

beforeAll(async () => {
  directory = tempDir();
  const serve = (name: string, implementation: ReturnType<typeof implement>) =>
    startRpcServer({
      ...{ name, version: '0', log: silentLogger, services: [implementation] },
      address: `unix:${join(directory.path, `${name}.sock`)}`,
    });
  servers = await Promise.all([
    serve(
      'cgroup',
      implement(CgroupServiceService, cgroup as Handlers<typeof CgroupServiceService>),
    ),
    serve(
      'engine',
      implement(EngineServiceService, engine as Handlers<typeof EngineServiceService>),
    ),
  ]);
  services = new ServiceConnections(directory.path);
});
afterAll(async () => {
  services.close();
  await Promise.all(servers.map((server) => server.close(0)));
  directory.remove();
});
beforeEach(() => {
  asked = [];
  samples = [
    [
      entry(WEB, 'web', figures(0, 100)),
      entry(WARM, '', figures(0, 1)),
      entry(DB, '', figures(0, 0)),
    ],
    [
      entry(WEB, 'web', figures(500, 350)),
      entry(WARM, '', figures(500, 1)),
      entry(DB, '', figures(500, 5)),
    ],
  ];
});

async function teu(args: readonly string[], parts: Partial<Context> = {}) {
  const fake = fakeContext({ args, services, ...parts });
  const code = await runProgram(fake.context);
  return { code, stdout: fake.stdout(), stderr: fake.stderr() };
}

test('shows once what went on between two samples, under the names that the engine has', async () => {
  const { code, stdout } = await teu(['stats', '--no-stream']);
  expect(code).toBe(0);
  expect(stdout).toBe(
    'CONTAINER ID   NAME   CPU %    MEM USAGE / LIMIT   MEM %   BLOCK I/O     PIDS\n' +
      'cdcdcdcdcdcd   db     1.00%    5MiB / 64MiB        7.81%   4.1kB / 2MB   3\n' +
      'abababababab   web    50.00%   5MiB / 64MiB        7.81%   4.1kB / 2MB   3\n',
  );
  expect(asked[0]).toMatchObject({ ids: [], sampleCount: 2, withGroups: false });
});

test('shows with --all those that do not run as well, with dashes, and whole ids if asked', async () => {
  const { code, stdout } = await teu(['stats', '--no-stream', '-a', '--no-trunc']);
  expect(code).toBe(0);
  const rows = stdout.split('\n').slice(1, -1);
  expect(rows.map((row) => row.split(/ {2,}/).slice(0, 3))).toEqual([
    [DB, 'db', '1.00%'],
    [ENDED, 'ended', '--'],
    [WEB, 'web', '50.00%'],
  ]);
  expect(rows[1]).toMatch(/ended +-- +-- +-- +-- +--$/);
});

test('shows with --all of those that are named all, a line of JSON each', async () => {
  const { code, stdout } = await teu([
    ...['stats', '--no-stream', '--all', '--format', 'json', 'ended', 'web'],
  ]);
  expect(code).toBe(0);
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as object);
  expect(lines).toMatchObject([
    { containerId: ENDED, name: 'ended', stats: null, cpuPercent: null, memoryLimitBytes: null },
    { containerId: WEB, name: 'web', cpuPercent: 50 },
  ]);
  expect(lines).toHaveLength(2);
});

test('shows with --all and a group only what is in it', async () => {
  samples = samples.map((sample) => sample.slice(0, 1).map((item) => ({ ...item, group: 'team' })));
  const { stdout } = await teu(['stats', '--no-stream', '-a', '--group', 'team']);
  expect(stdout).toMatch(/ web /);
  expect(stdout).not.toMatch(/ ended /);
});

test('goes on: the head comes once where nothing can be redrawn', async () => {
  const { stdout } = await teu(['stats', '--interval', '250ms', 'web']);
  expect(asked[0]).toMatchObject({
    ids: [WEB],
    sampleCount: 0,
    intervalDuration: { seconds: 0, nanos: 250_000_000 },
  });
  expect(stdout.match(/CONTAINER ID/g)).toHaveLength(1);
  expect(stdout).toMatch(/web +-- /);
  expect(stdout).toMatch(/web +50\.00%/);
});

test('is drawn in its place on a terminal, cut to its size', async () => {
  const rows = Array.from({ length: 10 }, (_, index) =>
    entry(String(index).repeat(64), `c${String(index)}`, figures(0, 0)),
  );
  samples = [rows, rows];
  let written = '';
  const stdout = {
    isTerminal: true,
    write: async (data: string | Uint8Array) => void (written += String(data)),
  };
  const terminal = {
    size: () => ({ rows: 6, columns: 30 }),
    onResize: () => () => undefined,
    setRawMode: () => undefined,
  };
  await teu(['stats'], { stdout, terminal });
  const [first = '', second = ''] = written.split('\u001b[5A');
  expect(first).toContain('and 7 more\n');
  expect(second.startsWith('\r\u001b[J')).toBe(true);
  for (const line of second.split('\n')) expect(line.length).toBeLessThanOrEqual(30 + 4);
});

test('is a line of JSON for each, of a group as well', async () => {
  samples = samples.map((sample) => [
    entry('', '', figures(0, 0), 'team'),
    ...sample.slice(0, 1).map((item) => ({ ...item, group: 'team' })),
  ]);
  const { stdout } = await teu([
    ...['stats', '--no-stream', '--format', 'json', '--group', 'team'],
  ]);
  expect(asked[0]).toMatchObject({ group: 'team', withGroups: true });
  const [group, web, ...more] = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as object);
  expect(more).toEqual([]);
  expect(group).toMatchObject({ containerId: '', group: 'team' });
  expect(web).toMatchObject({
    ...{ containerId: WEB, name: 'web', group: 'team', cpuPercent: 50 },
    memoryPercent: 7.8125,
    stats: { pids: { currentCount: 3 } },
  });
});

test('shows pressure where the kernel tells', async () => {
  const some = { avg10: 1.5, avg60: 0, avg300: 0, totalDuration: undefined };
  const pressure = PressureStats.create({ cpu: Pressure.create({ some }) });
  samples = [
    [],
    [entry(WEB, 'web', figures(0, 0, { pressure, memory: undefined, io: undefined }))],
  ];
  const { stdout } = await teu(['stats', '--no-stream']);
  expect(stdout).toMatch(/PIDS {3}PRESSURE CPU \/ MEM \/ IO\n/);
  expect(stdout).toMatch(/web +-- +-- +-- +-- +3 +1\.50% \/ -- \/ --\n/);
});

test('ends when all that were named have ended', async () => {
  samples = [...samples.slice(0, 1), [], ...samples.slice(1)];
  const { code, stdout } = await teu(['stats', 'web']);
  expect(code).toBe(0);
  expect(stdout).not.toContain('50.00%');
});

test.each([
  [['stats', 'nobody'], 1, 'no such container'],
  [['stats', 'ended'], 1, 'does not run'],
  [['stats', '--interval', '50ms'], 125, 'at least 100ms'],
  [['stats', '--interval', 'often'], 125, 'invalid span of time'],
  [['stats', '--group', 'team', 'web'], 125, 'cannot be given together'],
  [['stats', '--group', 'gone'], 1, 'there is no group "gone"'],
])('is refused: %j', async (args, code, text) => {
  const refused = await teu(args);
  expect(refused.code).toBe(code);
  expect(refused.stderr).toContain(text);
});

test('is completed with containers that run', async () => {
  const { context } = fakeContext({ services });
  expect(await candidates(context, ['stats', 'w'])).toContain('web');
  expect(await candidates(context, ['stats', '-'])).toContain('--no-stream');
});
