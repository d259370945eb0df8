import { join } from 'node:path';
import { teuError } from '@teu/errors';
import { silentLogger } from '@teu/log';
import {
  UsageGrouping,
  UsageRecord,
  UsageServiceService,
  UsageSummary,
  type ListUsageRequest,
  type SummarizeUsageRequest,
  type WatchUsageRequest,
} from '@teu/proto/cgroup';
import { EngineServiceService } from '@teu/proto/engine';
import { implement, startRpcServer, type Handlers, type RpcServer } from '@teu/rpc';
import { tempDir, type TempDir } from '@teu/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { runProgram } from '../program.js';
import { ServiceConnections } from '../services.js';
import { fakeContext } from '../testing/fake-context.js';
import { candidates } from './complete.js';

const MEBIBYTE = 1 << 20;
const figures = {
  wallDuration: { seconds: 3 * 3600 + 5 * 60, nanos: 0 },
  cpuDuration: { seconds: 12, nanos: 345_000_000 },
  memoryByteSeconds: 2 * 1024 ** 3 * 3600,
  ...{ memoryPeakBytes: 64 * MEBIBYTE, ioReadBytes: 4096, oomKillCount: 2, runCount: 1 },
};
const ended = UsageRecord.fromPartial({
  ...{ sequence: 7, usage: figures, incomplete: true },
  run: {
    ...{ containerId: 'ab'.repeat(32), name: 'web', image: 'reg/a,b"c', imageId: 'sha256:1' },
    ...{ startTime: new Date(1000), createTime: new Date(0) },
    end: { exitTime: new Date(11_106_000), exitCode: 137 },
  },
});
const running = UsageRecord.fromPartial({
  run: {
    ...{ containerId: 'cd'.repeat(32), name: 'db\u001b[31m', image: 'busybox' },
    startTime: new Date(),
  },
  usage: { wallDuration: { nanos: 350_000_000 }, memoryByteSeconds: 1.5 * MEBIBYTE },
});

let directory: TempDir;
let server: RpcServer;
let engine: RpcServer;
let services: ServiceConnections;
let asked: (ListUsageRequest | SummarizeUsageRequest | WatchUsageRequest)[];

/** For each SettleUsage, how much had been asked of the ledger before. */
let settledAfter: number[];

const ledger: Partial<Handlers<typeof UsageServiceService>> = {
  listUsage: async (request) => {
    asked.push(request);
    return request.pageToken === ''
      ? { records: [ended], nextPageToken: 'more' }
      : { records: [running], nextPageToken: '' };
  },
  summarizeUsage: async (request) => {
    asked.push(request);
    const summary = { key: 'acme', usage: { ...figures, runCount: 3 }, runningCount: 1 };
    const none = { key: '', usage: { runCount: 1 } };
    return {
      summaries: [summary, none].map((each) => UsageSummary.fromPartial(each)),
      nextPageToken: '',
    };
  },
  watchUsage: async function* (request) {
    asked.push(request);
    if (request.fromSequence === 3) throw teuError('EVENTS_EXPIRED', 'there is no record 3');
    yield { record: undefined, nextSequence: 7 };
    yield { record: ended, nextSequence: 0 };
  },
};

const engineCalls: Partial<Handlers<typeof EngineServiceService>> = {
  settleUsage: async () => {
    settledAfter.push(asked.length);
    throw teuError('STORAGE_FULL', 'no room');
  },
};

beforeAll(async () => {
  directory = tempDir();
  const { path } = directory;
  engine = await startRpcServer({
    ...{ name: 'engine', version: '0', address: `unix:${join(path, 'engine.sock')}` },
    services: [
      implement(EngineServiceService, engineCalls as Handlers<typeof EngineServiceService>),
    ],
    log: silentLogger,
  });
  server = await startRpcServer({
    ...{ name: 'cgroup', version: '0', address: `unix:${join(directory.path, 'cgroup.sock')}` },
    services: [implement(UsageServiceService, ledger as Handlers<typeof UsageServiceService>)],
    log: silentLogger,
  });
  services = new ServiceConnections(directory.path);
});
afterAll(async () => {
  services.close();
  await server.close();
  await engine.close();
  directory.remove();
});
beforeEach(() => {
  asked = [];
  settledAfter = [];
});

async function teu(...args: string[]) {
  const fake = fakeContext({ args: ['usage', ...args], services });
  const code = await runProgram(fake.context);
  return { code, stdout: fake.stdout(), stderr: fake.stderr() };
}

test('each run is a line', async () => {
  const { code, stdout } = await teu('--running');
  const [header, first, second] = stdout.split('\n').map((line) => line.split(/ {3,}/));
  expect(code).toBe(0);
  expect(header?.join('|')).toBe(
    'CONTAINER|NAME|IMAGE|STARTED|EXIT|WALL|CPU|MEMORY|PEAK|READ|WRITTEN|OOM',
  );
  expect(first?.filter((_, index) => index !== 3)).toEqual([
    ...['abababababab', 'web', 'reg/a,b"c', '137?', '3h5m', '12.3s', '2 GiB·h', '64 MiB'],
    ...['4 KiB', '0 B', '2'],
  ]);
  expect(second?.slice(4, 8)).toEqual(['-', '350ms', '0ms', '1.5 MiB·s']);
  expect(stdout).not.toContain('\u001b');
});

test('what has just ended is waited for, and what the engine says to that does not matter', async () => {
  expect((await teu()).code).toBe(0);
  expect(settledAfter).toEqual([0]);
  expect(asked).toHaveLength(2);
  await teu('--follow');
  expect(settledAfter).toHaveLength(1);
});

test('CSV has seconds and bytes', async () => {
  const { stdout } = await teu('--format', 'csv');
  const [header, first] = stdout.split('\r\n');
  expect(header).toMatch(/^sequence,container_id,name,image,.*,wall_seconds,cpu_seconds,/);
  expect(first).toContain(
    `7,${'ab'.repeat(32)},web,"reg/a,b""c",sha256:1,,1970-01-01T00:00:01.000Z`,
  );
  expect(first).toContain(',137,true,11100,12.345,');
  expect(first?.split(',').length).toBe((header?.split(',').length ?? 0) + 1);
});

test('JSON is one object', async () => {
  const { stdout } = await teu('--format', 'json');
  const { records } = JSON.parse(stdout) as { records: unknown[] };
  expect(records).toEqual([UsageRecord.toJSON(ended), UsageRecord.toJSON(running)]);
  const sums = await teu('--format', 'json', '--group-by', 'image');
  expect((JSON.parse(sums.stdout) as { summaries: unknown[] }).summaries).toHaveLength(2);
});

test('options are what is asked for', async () => {
  await teu(
    ...['--since', '2026-01-01T00:00:00Z', '--until', '2026-02-01T00:00:00Z', '--container', 'web'],
    ...['--image', 'busybox', '--group', 'team', '--label', 'a=b=c', '--label', 'd', '--running'],
    ...['--group-by', 'label=customer'],
  );
  expect(asked).toMatchObject([
    {
      filter: {
        since: new Date('2026-01-01T00:00:00Z'),
        until: new Date('2026-02-01T00:00:00Z'),
        ...{ container: 'web', image: 'busybox', group: 'team', withRunning: true },
        labels: { a: 'b=c', d: '' },
      },
      ...{ grouping: UsageGrouping.USAGE_GROUPING_LABEL, label: 'customer' },
    },
  ]);
  await teu('--since', '1h');
  const since = (asked[1] as ListUsageRequest).filter?.since?.getTime() ?? 0;
  expect(Math.abs(Date.now() - 3_600_000 - since)).toBeLessThan(60_000);
});

test('sums have a line for each key', async () => {
  const { stdout } = await teu('--group-by', 'label=customer');
  const lines = stdout.split('\n').map((line) => line.split(/ {3,}/));
  expect(lines[0]?.slice(0, 3)).toEqual(['CUSTOMER', 'RUNS', 'WALL']);
  expect(lines[1]?.slice(0, 3)).toEqual(['acme', '3 (1 running)', '3h5m']);
  expect(lines[2]?.slice(0, 2)).toEqual(['<none>', '1']);
  const csv = await teu('--group-by', 'group', '--format', 'csv');
  expect(csv.stdout).toMatch(/^key,name,runs,running,incomplete,wall_seconds,/);
  expect(csv.stdout).toContain('\r\nacme,,3,1,0,11100,12.345,');
});

test('--follow shows runs as they end', async () => {
  const table = await teu('--follow');
  expect(table.stdout).toMatch(/^7 container=abababababab {2}name=web .*exit=137\? {2}wall=3h5m/);
  const json = await teu('--follow', '--from', '7', '--format', 'json');
  expect(JSON.parse(json.stdout)).toEqual(UsageRecord.toJSON(ended));
  expect(asked).toMatchObject([{ fromSequence: 0 }, { fromSequence: 7, untilNow: false }]);
  const expired = await teu('--follow', '--from', '3');
  expect([expired.code, expired.stderr]).toEqual([1, expect.stringContaining('no record 3')]);
});

test.each([
  [['--group-by', 'day'], /invalid value "day" for --group-by[^]*label=NAME/],
  [['--group-by', 'label='], /label=NAME/],
  [['--since', 'yesterday'], /invalid time "yesterday" for --since/],
  [['--since', '1h', '--until', '2h'], /--since is later than --until/],
  [['--label', '=x'], /invalid label "=x"/],
  [['--format', 'xml'], /table, json, csv/],
  [['--from', '3'], /--from is for --follow/],
  [['--follow', '--from', '0'], /--from/],
  [['--follow', '--since', '1h'], /--since does not go with --follow/],
  [['--follow', '--label', 'a'], /--label does not go with --follow/],
  [['--follow', '--running'], /--running does not go with --follow/],
  [['--follow', '--group-by', 'image'], /--group-by does not go with --follow/],
] as const)('%j is refused', async (args, message) => {
  const { code, stderr } = await teu(...args);
  expect([code, stderr]).toEqual([125, expect.stringMatching(message)]);
  expect(asked).toEqual([]);
});

test('what --group-by can be is completed', async () => {
  const fake = fakeContext({ services });
  const words = await candidates(fake.context, ['usage', '--group-by', '']);
  expect(words).toEqual(['container', 'image', 'group', 'label=']);
  expect(await candidates(fake.context, ['usage', '--format', ''])).toEqual([
    'table',
    'json',
    'csv',
  ]);
});
