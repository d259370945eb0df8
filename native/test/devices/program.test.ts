import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const native = fileURLToPath(new URL('../../', import.meta.url));

it('programs of teu-devices decide as their rules say', { timeout: 240_000 }, () => {
  const program = 'dist/asan/devices-tests';
  const make = ['-s', '-j2', '-f', 'src/devices/rules.mk', program];
  const made = spawnSync('make', make, { cwd: native, encoding: 'utf8' });
  expect(made.stderr).toBe('');
  const run = spawnSync(join(native, program), { encoding: 'utf8' });
  expect(run.stderr).toBe('');
  expect(run.status).toBe(0);
});
