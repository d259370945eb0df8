import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { installRoot } from '@teu/config';
import { checkHealth, connect } from './index.js';
import { until } from './test/echo.js';

let directory = '';
let bundle = '';

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'teu-run-'));
  // Inside the installation, as real bundles are.
  bundle = join(installRoot(), 'node_modules', '.cache', `${directory.slice(-6)}.mjs`);
  await build({
    entryPoints: [fileURLToPath(new URL('test/run-service-main.ts', import.meta.url))],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    external: ['*.node'],
    logLevel: 'error',
    banner: {
      js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url); const __dirname = import.meta.dirname; const __filename = import.meta.filename;",
    },
  });
});

afterAll(() => {
  rmSync(bundle, { force: true });
  rmSync(directory, { recursive: true, force: true });
});

interface Run {
  child: ChildProcess;
  lines(): Record<string, unknown>[];
  stderr(): string;
  ended: Promise<number | null>;
}

function run(env: Record<string, string>, ...argv: string[]): Run {
  const child = spawn(process.execPath, [bundle, ...argv], {
    env: { TEU_RUN_DIR: join(directory, 'run'), ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
  return {
    child,
    stderr: () => stderr,
    lines: () =>
      stderr
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    ended: new Promise((resolve) => child.on('close', (code) => resolve(code))),
  };
}

const isReady = (service: Run) => () => service.lines().some((line) => line['msg'] === 'ready');

test('says that it is ready, serves, and stops in order on SIGTERM', async () => {
  const service = run({});
  await until(isReady(service));
  const address = `unix:${join(directory, 'run', 'sample.sock')}`;
  expect(service.lines()[0]).toMatchObject({ service: 'sample', address, pid: service.child.pid });
  expect(service.lines()[0]?.['version']).toMatch(/^\d/);
  const channel = connect(address);
  expect(await checkHealth(channel)).toBe('SERVING');
  channel.close();
  service.child.kill('SIGTERM');
  expect(await service.ended).toBe(0);
  expect(service.lines().map((line) => line['msg'])).toEqual(['ready', 'stopping', 'stopped']);
});

test('ends at once on the second signal', async () => {
  const service = run({ TEU_TEST_MODE: 'stuck' });
  await until(isReady(service));
  service.child.kill('SIGINT');
  await until(() => service.lines().some((line) => line['msg'] === 'stopping'));
  service.child.kill('SIGTERM');
  expect(await service.ended).toBe(1);
});

test.each(['fail', 'reject', 'throw'])('logs why it ends with 1: %s', async (mode) => {
  const service = run({ TEU_TEST_MODE: mode });
  expect(await service.ended).toBe(1);
  const last = service.lines().at(-1);
  expect(last).toMatchObject({ level: 'fatal' });
  expect(last?.['err']).toContain('caused by Error: root of it');
});

test('ends with 2 on a configuration that it cannot use', async () => {
  const service = run({}, '--nonsense');
  expect(await service.ended).toBe(2);
  expect(service.stderr()).toContain('--nonsense is not a flag of this service');
});
