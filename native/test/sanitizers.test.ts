import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { encodeLaunchPlan } from '../ts/index.js';
import { examplePlan } from './support/example-plan.js';

const PROJECT = fileURLToPath(new URL('..', import.meta.url));
const BUILD_TIMEOUT_MS = 120_000;

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'teu-asan-'));
  const made = spawnSync('make', ['-s', '-C', PROJECT, 'asan'], { encoding: 'utf8' });
  expect(made.stderr).toBe('');
}, BUILD_TIMEOUT_MS);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

it(
  'reader, protocol, log and account code hold against malformed input',
  () => {
    const plan = join(directory, 'plan');
    writeFileSync(plan, encodeLaunchPlan(examplePlan()));
    const run = spawnSync(join(PROJECT, 'dist', 'asan', 'asan-tests'), [plan], {
      encoding: 'utf8',
    });
    expect(run.stderr).toBe('');
    expect(run.status).toBe(0);
  },
  BUILD_TIMEOUT_MS,
);
