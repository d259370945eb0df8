import { expect, test } from 'vitest';
import { runCommand } from './run-command.js';

const LIMITS = { timeoutMs: 5_000 };

test('words are taken as they are, and nothing is inherited', async () => {
  const words = ['-c', 'printf "%s" "$1"; env', 'sh', '$HOME; echo "*"'];
  const written = await runCommand('/bin/sh', words, LIMITS);
  expect(written).toContain('$HOME; echo "*"');
  expect(written).not.toContain('VITEST');
});

test('what a command says is in its failure', async () => {
  const failing = runCommand('/bin/sh', ['-c', 'echo dataset is busy >&2; exit 1'], LIMITS);
  await expect(failing).rejects.toMatchObject({ kind: 'busy' });
});

test('a command is given up at its time limit', async () => {
  const began = performance.now();
  const hanging = runCommand('/bin/sleep', ['60'], { timeoutMs: 50 });
  await expect(hanging).rejects.toMatchObject({ kind: 'timeout' });
  expect(performance.now() - began).toBeLessThan(5_000);
});
