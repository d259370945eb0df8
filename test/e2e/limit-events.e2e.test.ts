import { oomReportRoom, waitFor } from '@teu/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { output, startEngine, type Engine } from './engine.js';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine();
});
afterAll(async () => {
  await engine.stop();
});

interface OomKill {
  scope: string;
  limit: string;
  limitBytes: number;
  processName: string;
  containerId: string;
}
interface Line {
  sequence: number;
  event: {
    source: string;
    subject: string;
    container?: { action: string; containerId: string; oomKill?: OomKill };
    cgroup?: {
      action: string;
      containerId: string;
      name: string;
      limit?: string;
      oomKill?: OomKill;
    };
  };
}

async function events(...more: string[]): Promise<Line[]> {
  const command = ['events', '--until-now', '--format', 'json', ...more];
  const text = await output(engine, ...command);
  return text === '' ? [] : text.split('\n').map((line) => JSON.parse(line) as Line);
}

/** Whether all services say that they serve. */
async function serves(): Promise<boolean> {
  const status = await engine.teu(['status', '--format', 'json']);
  if (status.code !== 0) return false;
  const services = JSON.parse(status.stdout) as { health: string }[];
  return services.every(({ health }) => health === 'SERVING');
}

const GREEDY = ['sh', '-c', 'dd if=/dev/zero of=/dev/null bs=100M count=1; exit $?'];
const LIMITS = ['--memory', '16m', '--memory-swap', '16m'];

test('what the kernel killed is named by the run, the record and both events, which can be read again', async () => {
  await oomReportRoom();
  const run = await engine.teu(['run', '--name', 'greedy', ...LIMITS, 'busybox', ...GREEDY]);
  expect(run.code).toBe(137);
  expect(run.stderr).toMatch(
    /ran out of memory: killed for want of memory: dd \(pid \d+\) held [\d.]+ MiB; limit 16 MiB of the container/,
  );
  const [record] = JSON.parse(await output(engine, 'inspect', 'greedy')) as [
    { id: string; exit: { oomKilled: boolean; oomText: string; oomKill: OomKill } },
  ];
  const cause = {
    scope: 'OOM_SCOPE_CONTAINER',
    limit: 'OOM_LIMIT_MEMORY',
    limitBytes: 16 << 20,
    processName: 'dd',
    containerId: record.id,
  };
  expect(record.exit).toMatchObject({ oomKilled: true, oomKill: cause });
  expect(record.exit.oomText).toMatch(/^killed for want of memory: dd /);

  const told = async (): Promise<Line | undefined> =>
    (await events('--since', '1', '--container', 'greedy')).find(
      ({ event }) => event.cgroup?.action === 'CGROUP_ACTION_OOM_KILLED',
    );
  await waitFor(async () => (await told()) !== undefined, { timeoutMs: 10_000 });
  const line = (await told())!;
  expect(line.event.cgroup).toMatchObject({ containerId: record.id, oomKill: record.exit.oomKill });
  expect(line.event.subject).toMatch(/^teu\.v1\.[^.]+\.cgroup\.oom_killed$/);

  const own = await events('--since', '1', '--container', 'greedy');
  const killed = own.find(({ event }) => event.container?.oomKill !== undefined);
  expect(killed?.event.container).toMatchObject({ oomKill: record.exit.oomKill });
  const all = await events('--since', '1');
  expect(all.map(({ sequence }) => sequence)).toEqual(all.map((_, index) => index + 1));
  const again = await events('--since', String(line.sequence));
  expect(again[0]).toEqual(line);
});

test('a cgroup service that died hears what happens when it is back', async () => {
  const { cgroup } = await engine.pids();
  process.kill(cgroup!, 'SIGKILL');
  await waitFor(async () => ((await engine.pids()).cgroup ?? cgroup) !== cgroup && serves(), {
    timeoutMs: 30_000,
  });
  await oomReportRoom();
  const id = await output(
    engine,
    'run',
    '-d',
    '--pids-limit',
    '4',
    ...LIMITS,
    'busybox',
    ...GREEDY,
  );
  expect(await output(engine, 'wait', id)).toBe('137');
  await waitFor(
    async () =>
      (await events('--since', '1', '--container', id)).some(
        ({ event }) => event.cgroup?.oomKill?.processName === 'dd',
      ),
    { timeoutMs: 10_000 },
  );
});
