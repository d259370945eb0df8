import { waitFor } from '@teu/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { output, startEngine, type Engine } from './engine.js';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine();
});
afterAll(async () => {
  await engine.stop();
});

interface Line {
  sequence: number;
  event: { source: string; subject: string; container?: { action: string; containerId: string } };
}

async function eventsSince(sequence: number): Promise<Line[]> {
  const text = await output(
    engine,
    ...['events', '--since', String(sequence), '--until-now', '--format', 'json'],
  );
  return text === '' ? [] : text.split('\n').map((line) => JSON.parse(line) as Line);
}

const actionsOf = (lines: readonly Line[], id: string) =>
  lines
    .filter((line) => line.event.container?.containerId === id)
    .map((line) => line.event.container?.action.replace('CONTAINER_ACTION_', ''));

test('every change of state is numbered without a gap, from the first', async () => {
  const id = await output(engine, 'run', '-d', 'busybox', 'sh', '-c', 'exit 3');
  expect(await output(engine, 'wait', id)).toBe('3');
  await output(engine, 'rm', id);
  const lines = await eventsSince(1);
  expect(lines.map((line) => line.sequence)).toEqual(lines.map((_, index) => index + 1));
  expect(actionsOf(lines, id)).toEqual(['CREATED', 'STARTED', 'EXITED', 'REMOVED']);
});

test('events of other services join the same log', async () => {
  await waitFor(async () => (await eventsSince(1)).some((line) => line.event.source === 'image'), {
    timeoutMs: 10_000,
  });
});

test('a reader resumes where it stopped, also when NATS was away meanwhile', async () => {
  const before = await eventsSince(1);
  const last = before.at(-1)?.sequence ?? 0;
  const nats = (await engine.pids()).nats;
  expect(nats).toBeGreaterThan(0);
  process.kill(nats!, 'SIGKILL');
  const id = await output(engine, 'run', '-d', 'busybox', 'true');
  expect(await output(engine, 'wait', id)).toBe('0');
  const meanwhile = await eventsSince(last + 1);
  expect(meanwhile[0]?.sequence).toBe(last + 1);
  expect(actionsOf(meanwhile, id)).toEqual(['CREATED', 'STARTED', 'EXITED']);
  await waitFor(async () => ((await engine.pids()).nats ?? 0) > 0, { timeoutMs: 15_000 });
  const again = await eventsSince(last + 1);
  expect(again.slice(0, meanwhile.length)).toEqual(meanwhile);
});
