import { instanceName, waitFor } from '@teu/testing';
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { output, startEngine, type Engine } from '../e2e/engine.js';

// A whole engine on a host that has cgroups of version 2 alone.
let engine: Engine;
beforeAll(async () => {
  // What is made in advance has two seconds to go in when the engine does, which can be too short here.
  engine = await startEngine(['busybox'], { env: { TEU_ENGINE_WARM_STARTS: '0' } });
});
afterAll(async () => {
  await engine.stop();
});

const inBusybox = (...words: string[]): string[] => ['run', '--rm', ...words];

test('limits are in force inside', async () => {
  const limits = await output(
    engine,
    ...inBusybox('--memory', '64m', '--cpus', '0.5', '--pids-limit', '50', 'busybox'),
    ...['sh', '-c', 'cd /sys/fs/cgroup; cat memory.max cpu.max pids.max'],
  );
  expect(limits.split('\n')).toEqual(['67108864', '50000 100000', '50']);
});

test('a container that outgrows its memory is killed and says so', async () => {
  const result = await engine.teu([
    ...inBusybox('--memory', '32m', 'busybox'),
    ...['sh', '-c', 'head -c 100m /dev/zero | tail'],
  ]);
  expect(result.code).toBe(137);
  expect(result.stderr).toMatch(/out of memory/i);
});

test('a limit of processes stops forks', async () => {
  const result = await engine.teu([
    ...inBusybox('--pids-limit', '5', 'busybox'),
    ...['sh', '-c', 'for i in 1 2 3 4 5 6 7 8; do sleep 100 & done'],
  ]);
  expect(result.stderr).toMatch(/can't fork|Resource temporarily unavailable/);
});

test('a container is stopped and removed, and its group goes with it', async () => {
  const id = await output(engine, 'run', '-d', '--name', 'web', 'busybox', 'sleep', '1000');
  const group = `/sys/fs/cgroup/teu/${instanceName(engine.dataDir)}/${id}`;
  expect(existsSync(group)).toBe(true);
  expect(await output(engine, 'exec', 'web', 'cat', '/proc/1/cgroup')).toBe('0::/');
  await output(engine, 'rm', '-f', 'web');
  expect(await output(engine, 'ps', '-a', '-q')).toBe('');
  // After the answer.
  await waitFor(() => !existsSync(group));
});
