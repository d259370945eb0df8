import { installRoot } from '@teu/config';
import { runProgram } from '@teu/testing/run-program';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { LabFailure } from './lab-failure.js';
import type { MachineEnd, MachineOptions } from './machine.js';
import { runMachine } from './run-machine.js';

/** Which tests, and where their results go. */
export interface TestRun {
  readonly paths: readonly string[];
  readonly name: string | undefined;
  /** File for vitest's results as JSON. */
  readonly results: string | undefined;
}

/**
 * Runs tests in one machine. They are bundled on this host before: there vite takes a second for a file and
 * what it imports, in the machine twenty.
 * @throws LabFailure if no test is found, or it cannot be bundled
 */
export async function runTests(
  { paths, name, results }: TestRun,
  machine: Omit<MachineOptions, 'command' | 'directory'>,
): Promise<MachineEnd> {
  const root = installRoot();
  const parent = join(root, 'dist/lab');
  mkdirSync(parent, { recursive: true });
  // Below the checkout, where Node finds vitest from.
  const bundles = mkdtempSync(join(parent, 'tests-'));
  try {
    await bundleTests(root, bundles, paths);
    const command = [
      ...['node', join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--root', bundles],
      ...['--config', join(root, 'test/lab/vitest.config.ts'), '--configLoader', 'native'],
      // Test by test: where a minute is short, one wants to see where it goes.
      ...['--reporter=verbose', '--reporter=json', '--outputFile.json=/run/lab/results.json'],
      ...(name === undefined ? [] : ['--testNamePattern', name]),
    ];
    return await runMachine({ ...machine, command, directory: root }, (shared) => {
      const file = join(shared, 'results.json');
      if (results === undefined || !existsSync(file)) return;
      mkdirSync(dirname(results), { recursive: true });
      copyFileSync(file, results);
    });
  } finally {
    rmSync(bundles, { recursive: true, force: true });
  }
}

async function bundleTests(root: string, into: string, paths: readonly string[]): Promise<void> {
  const tool = join(root, 'tools/bundle-tests.mjs');
  const { code, stderr } = await runProgram(process.execPath, [tool, into, ...paths]);
  if (code !== 0) throw new LabFailure(stderr.trimEnd());
}
