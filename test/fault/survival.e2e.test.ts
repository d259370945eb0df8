import { waitFor } from '@teu/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { output, startEngine, type Engine } from '../e2e/engine.js';

// kill -9 of any service, or of all, leaves containers alone; afterwards every answer is true.
let engine: Engine;
beforeAll(async () => {
  engine = await startEngine();
});
afterAll(async () => {
  await engine.stop();
});

/** Waits until the service runs under another pid and all services say that they serve. */
async function recovered(killed: Readonly<Record<string, number>>): Promise<void> {
  await waitFor(
    async () => {
      const now = await engine.pids();
      const status = await engine.teu(['status', '--format', 'json']);
      if (status.code !== 0) return false;
      const services = JSON.parse(status.stdout) as { name: string; health: string }[];
      return (
        Object.entries(killed).every(([name, pid]) => (now[name] ?? pid) !== pid) &&
        services.every((service) => service.health === 'SERVING')
      );
    },
    { timeoutMs: 30_000 },
  );
}

interface Inspected {
  pid: number;
  exit?: { exitCode: number; oomKilled?: boolean };
}

async function inspect(id: string): Promise<Inspected> {
  const [container] = JSON.parse(await output(engine, 'inspect', id)) as Inspected[];
  return container!;
}

/** Runs the story of one fault: containers before, the fault, the truth after. */
async function survive(fault: () => Promise<void>): Promise<void> {
  const lasting = await output(
    engine,
    ...['run', '-d', 'busybox', 'sh', '-c'],
    'i=0; while true; do echo $i; i=$((i+1)); sleep 0.1; done',
  );
  const ending = await output(
    engine,
    'run',
    '-d',
    'busybox',
    'sh',
    '-c',
    'sleep 1; echo bye; exit 42',
  );
  const { pid } = await inspect(lasting);
  await fault();
  const after = await inspect(lasting);
  expect(after.pid).toBe(pid);
  expect(() => process.kill(pid, 0)).not.toThrow();
  expect(await output(engine, 'wait', ending)).toBe('42');
  expect((await inspect(ending)).exit?.exitCode).toBe(42);
  expect(await output(engine, 'logs', ending)).toBe('bye');
  expect(await output(engine, 'ps', '-q', '--no-trunc')).toContain(lasting);
  const lines = (await output(engine, 'logs', lasting)).split('\n').map(Number);
  expect(lines).toEqual(lines.map((_, index) => index));
  expect(lines.length).toBeGreaterThan(5);
  expect(await output(engine, 'exec', lasting, 'echo', 'still here')).toBe('still here');
  await output(engine, 'stop', '-t', '1', lasting);
  await output(engine, 'rm', lasting, ending);
}

describe('kill -9', () => {
  test.each(['engine', 'image', 'overlay2', 'cgroup', 'executor', 'nats'])(
    'of %s',
    async (name) => {
      await survive(async () => {
        const pid = (await engine.pids())[name];
        expect(pid).toBeGreaterThan(0);
        process.kill(pid!, 'SIGKILL');
        await recovered({ [name]: pid! });
      });
    },
    60_000,
  );

  test('of all services and of what watches them', async () => {
    await survive(async () => {
      const pids = await engine.pids();
      for (const pid of Object.values(pids)) process.kill(pid, 'SIGKILL');
      await output(engine, 'up', '--detach');
      await recovered(pids);
    });
  }, 60_000);
});

test('stop and ps work at once after kill -9 of the executor', async () => {
  await output(engine, 'run', '-d', '--name', 'web', 'busybox', 'sleep', '1000');
  process.kill((await engine.pids()).executor!, 'SIGKILL');
  expect(await output(engine, 'ps')).toContain('web');
  await output(engine, 'stop', '-t', '1', 'web');
  expect(await output(engine, 'ps')).not.toContain('web');
  await output(engine, 'rm', 'web');
});
