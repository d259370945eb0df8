import { waitFor } from '@teu/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { output, startEngine, type Engine } from './engine.js';

// What containers have used, through the command: right after whatever happens to them and to the services.
let engine: Engine;
beforeAll(async () => {
  engine = await startEngine();
});
afterAll(async () => {
  await engine.stop();
});

interface Record {
  readonly sequence?: number;
  readonly run: { readonly containerId: string; readonly name: string; readonly end?: object };
  readonly usage: { readonly cpuDuration: { readonly seconds?: number; readonly nanos?: number } };
  readonly incomplete?: boolean;
}

async function usage(...options: string[]): Promise<Record[]> {
  const text = await output(engine, 'usage', '--format', 'json', ...options);
  return (JSON.parse(text) as { records: Record[] }).records;
}

const cpuOf = ({ usage: { cpuDuration } }: Record): number =>
  (cpuDuration.seconds ?? 0) + (cpuDuration.nanos ?? 0) / 1e9;

const SPIN = 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; exit 3';

test('every run is on record, also of containers that are gone, and after kill -9 of every service', async () => {
  const names = ['run', '--name', 'burn', '--label', 'customer=acme'];
  expect((await engine.teu([...names, 'busybox', 'sh', '-c', SPIN])).code).toBe(3);
  await output(engine, 'start', 'burn');
  expect(await output(engine, 'wait', 'burn')).toBe('3');
  await output(engine, 'run', '--rm', 'busybox', 'true');
  const forever = 'while :; do :; done';
  await output(engine, 'run', '-d', '--name', 'lasting', 'busybox', 'sh', '-c', forever);
  await output(engine, 'rm', 'burn');

  const lasting = await waitFor(async () => {
    const [record] = await usage('--running', '--container', 'lasting');
    return record !== undefined && cpuOf(record) > 0.2 && record;
  });
  expect(lasting.run.end).toBeUndefined();
  const before = await usage();
  expect(before).toHaveLength(3);
  const runs = before.filter(({ run }) => run.name === 'burn');
  expect(runs).toMatchObject([
    { run: { end: { exitCode: 3 } } },
    { run: { end: { exitCode: 3 } } },
  ]);
  for (const run of runs) expect(cpuOf(run)).toBeGreaterThan(0.005);

  const killed = await engine.pids();
  for (const [name, pid] of Object.entries(killed)) {
    if (name !== 'resident') process.kill(pid, 'SIGKILL');
  }
  await waitFor(async () => (await engine.teu(['usage', '--running'])).code === 0, {
    timeoutMs: 30_000,
  });
  expect(await usage()).toEqual(before);
  const [after] = await usage('--running', '--container', 'lasting');
  expect(cpuOf(after!)).toBeGreaterThanOrEqual(cpuOf(lasting));

  await waitFor(async () => (await engine.teu(['rm', '-f', 'lasting'])).code === 0, {
    timeoutMs: 30_000,
  });
  const [ended] = await usage('--container', 'lasting');
  expect(ended).toMatchObject({ sequence: 4, run: { end: { exitCode: 137, signal: 9 } } });
  expect(ended?.incomplete ?? false).toBe(false);
  expect(cpuOf(ended!)).toBeGreaterThanOrEqual(cpuOf(after!));

  expect(await output(engine, 'usage', '--group-by', 'label=customer')).toMatch(
    /^CUSTOMER +RUNS +WALL[^]*\nacme +2 /,
  );
  expect(await output(engine, 'usage', '--group-by', 'image', '--format', 'csv')).toMatch(
    /^key,name,runs,[^]*\nbusybox,,4,0,0,/,
  );
}, 120_000);

test('a run is there right after its end', async () => {
  for (let round = 0; round < 20; round += 1) {
    const name = `short-${round}`;
    await output(engine, 'run', '--rm', '--name', name, 'busybox', 'true');
    expect(await usage('--container', name)).toMatchObject([{ run: { name, end: {} } }]);
  }
}, 120_000);
