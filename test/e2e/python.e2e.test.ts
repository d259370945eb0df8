import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { waitFor } from '@teu/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { output, startEngine, type Engine } from './engine.js';

const client = fileURLToPath(new URL('../../clients/python', import.meta.url));
let engine: Engine;
beforeAll(async () => {
  const generated = spawnSync(`${client}/generate`, { encoding: 'utf8' });
  expect(generated.status, generated.stderr).toBe(0);
  engine = await startEngine();
});
afterAll(async () => {
  await engine.stop();
});

const environment = () => ({ ...process.env, TEU_RUN_DIR: engine.runDir });
const runExample = (...args: string[]) =>
  spawnSync('/usr/bin/python3', [`${client}/examples/run_container.py`, ...args], {
    encoding: 'utf8',
    env: environment(),
  });
const start = (program: string, ...args: string[]) =>
  spawn('/usr/bin/python3', [`${client}/examples/${program}`, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: environment(),
  });

test('a program in Python runs a container and reads its output', () => {
  const result = runExample('busybox', 'sh', '-c', 'echo out; echo err >&2; exit 5');
  expect(result.stdout).toBe('out\n');
  expect(result.stderr).toBe('err\n');
  expect(result.status).toBe(5);
});

test('a program in Python gets the reason of an error, not only its text', () => {
  const result = runExample('nosuch:image', 'true');
  expect(result.status).toBe(125);
  expect(result.stderr).toMatch(/^IMAGE_NOT_FOUND: .*nosuch:image/);
});

test('a program in Python gives another a budget, watches it and reads what it used', async () => {
  const work = 'i=0; while [ $i -lt 15000 ]; do i=$((i+1)); done';
  const script = `${work}; until [ -e /seen ]; do sleep 0.1; done; exit 3`;
  const child = start('meter_job.py', 'busybox', 'sh', '-c', script);
  const [ended, used] = [once(child, 'close'), text(child.stdout)];
  let running = '';
  child.stderr.setEncoding('utf8').on('data', (part: string) => (running += part));
  await waitFor(() => /^running: cpu [0-9.]+ s, memory [0-9]+ bytes$/m.test(running));
  await output(engine, 'exec', await output(engine, 'ps', '-q'), 'touch', '/seen');
  // Some of the processor, however fast it is.
  expect(await used).toMatch(
    /^used: wall [0-9.]+ s, cpu (?!0\.0+ )[0-9]+\.[0-9]+ s, .*, killed 0\n$/,
  );
  expect(await ended).toEqual([3, null]);
});
