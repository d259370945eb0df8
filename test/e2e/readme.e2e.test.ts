import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { startRegistry, tempDir, type TempDir, type TestRegistry } from '@teu/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startEngine, type Engine } from './engine.js';

// What the README tells a user to type is typed here.
const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
const commands = [...readme.matchAll(/^bin\/teu (.+?)(?:\s+#.*)?$/gm)]
  .map((match) => match[1] ?? '')
  .filter((command) => command !== 'down');

let engine: Engine;
let registry: TestRegistry;
/** For the files that the commands write. */
let place: TempDir;
beforeAll(async () => {
  place = tempDir();
  registry = await startRegistry();
  engine = await startEngine();
});
afterAll(async () => {
  for (const child of background) {
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  }
  await engine.stop();
  await registry.stop();
  place.remove();
});

/** What was started with `&`. */
const background: ChildProcess[] = [];

/** Splits a line as a shell does, for the quotes that the README uses. */
function words(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map((match) => match[1] ?? match[2] ?? '');
}

test('the README has commands to try', () => {
  expect(commands.length).toBeGreaterThan(4);
});

test.each(commands)('bin/teu %s', async (command) => {
  const line = command
    .replaceAll('/run/teu', engine.runDir)
    .replaceAll('localhost:5000', registry.host);
  if (line.endsWith(' &')) {
    const options = { env: { ...engine.env }, stdio: 'ignore' } as const;
    background.push(spawn(engine.bin, words(line.slice(0, -2)), options));
    return;
  }
  const result = await engine.teu(words(line), { cwd: place.path });
  expect(result.code, result.stderr).toBe(0);
  expect(result.stderr).toBe('');
});
