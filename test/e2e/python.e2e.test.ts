import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startEngine, type Engine } from './engine.js';

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

const runExample = (...args: string[]) => runProgram('run_container.py', ...args);
const runProgram = (program: string, ...args: string[]) =>
  spawnSync('/usr/bin/python3', [`${client}/examples/${program}`, ...args], {
    encoding: 'utf8',
    env: { ...process.env, TEU_RUN_DIR: engine.runDir },
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

test('a program in Python gives another a budget, watches it and reads what it used', () => {
  const work = 'i=0; while [ $i -lt 150000 ]; do i=$((i+1)); done';
  const result = runProgram('meter_job.py', 'busybox', 'sh', '-c', `${work}; exit 3`);
  expect(result.stderr).toMatch(/^running: cpu [0-9.]+ s, memory [0-9]+ bytes$/m);
  expect(result.stdout).toMatch(
    /^used: wall [0-9.]+ s, cpu 0\.[0-9]*[1-9][0-9]* s, .*, killed 0\n$/,
  );
  expect(result.status).toBe(3);
});
