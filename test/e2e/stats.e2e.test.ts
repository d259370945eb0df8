import { text } from 'node:stream/consumers';
import { get, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkExposition, waitFor } from '@teu/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { output, startEngine, type Engine } from './engine.js';

// Live figures through a whole engine: the command, and what Prometheus reads.
let engine: Engine;
let id: string;
beforeAll(async () => {
  engine = await startEngine(['busybox'], { args: ['--metrics', '127.0.0.1:0'] });
  const spin = ['sh', '-c', 'while :; do :; done'];
  id = await output(
    engine,
    ...['run', '-d', '--name', 'busy', '--memory', '64m', '--cpus', '0.5', 'busybox', ...spin],
  );
  const rest = ['sh', '-c', 'echo ready; exec sleep 1000'];
  await output(engine, 'run', '-d', '--name', 'calm', 'busybox', ...rest);
  await waitFor(async () => (await output(engine, 'logs', 'calm')) === 'ready');
});
afterAll(async () => {
  await engine.teu(['rm', '-f', 'busy', 'calm']);
  await engine.stop();
});

interface Line {
  containerId: string;
  name: string;
  cpuPercent: number;
  memoryPercent: number;
  stats: { pids: { currentCount: number }; memory: { limitBytes: number } };
}

test('stats tells what each container uses, once', async () => {
  const lines = (await output(engine, 'stats', '--no-stream', '--format', 'json'))
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
  expect(lines.map(({ name }) => name)).toEqual(['busy', 'calm']);
  const [busy, calm] = lines;
  expect(busy?.containerId).toBe(id);
  // Half a processor at most; how much of it is up to what else the machine has to do.
  expect(busy?.cpuPercent).toBeGreaterThan(0);
  expect(busy?.cpuPercent).toBeLessThan(75);
  expect(busy?.stats).toMatchObject({
    pids: { currentCount: 1 },
    memory: { limitBytes: 64 << 20 },
  });
  expect(busy?.memoryPercent).toBeGreaterThan(0);
  expect(calm?.cpuPercent).toBeLessThan(1);
});

test('stats of one container is a table for people', async () => {
  const [head, row, ...more] = (await output(engine, 'stats', '--no-stream', 'calm')).split('\n');
  expect(head).toMatch(/^CONTAINER ID +NAME +CPU % +MEM USAGE \/ LIMIT +MEM % +BLOCK I\/O +PIDS/);
  expect(row).toMatch(/^[0-9a-f]{12} +calm +0\.\d\d% +\S+iB \/ \S+iB +\d+\.\d\d% /);
  expect(more).toEqual([]);
});

test('stats tells the limit of a group that a container is in, and those that do not run if asked', async () => {
  await output(engine, 'group', 'create', '--memory', '96m', 'team');
  const sleep = ['busybox', 'sleep', '1000'];
  await output(engine, 'run', '-d', '--name', 'member', '--group', 'team', ...sleep);
  await output(engine, 'create', '--name', 'made', 'busybox', 'true');
  try {
    const [head, made, member] = (
      await output(engine, 'stats', '--no-stream', '-a', 'member', 'made')
    ).split('\n');
    expect(head).toMatch(/^CONTAINER ID/);
    expect(made).toMatch(/^[0-9a-f]{12} +made +-- +-- +-- +-- +--/);
    expect(member).toMatch(/^[0-9a-f]{12} +member +\d+\.\d\d% +\S+iB \/ 96MiB /);
  } finally {
    await output(engine, 'rm', '-f', 'member', 'made');
    await output(engine, 'group', 'rm', 'team');
  }
});

test('metrics have the same containers, by name', async () => {
  const log = readFileSync(join(engine.dataDir, 'log/cgroup.log'), 'utf8');
  const address = /"metrics":"([^"]+)"/.exec(log)?.[1] ?? '';
  await waitFor(async () => {
    const [response] = (await once(get(`http://${address}/metrics`), 'response')) as [
      IncomingMessage,
    ];
    const samples = checkExposition(await text(response));
    const labels = `container_id="${id}",name="busy",image="busybox",group=""`;
    expect(samples.get(`teu_container_memory_limit_bytes{${labels}}`)).toBe(64 << 20);
    const used = samples.get(`teu_container_cpu_usage_seconds_total{${labels}}`) ?? 0;
    // Where much else is to do it does not come to its quota.
    expect(samples.has(`teu_container_cpu_throttled_periods_total{${labels}}`)).toBe(true);
    return used > 0.05;
  });
});
