import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const native = fileURLToPath(new URL('../../', import.meta.url));

it('what teu-dm reads and is asked holds against malformed input', { timeout: 240_000 }, () => {
  const program = 'dist/asan/dm-tests';
  const make = ['-s', '-j2', '-f', 'src/dm/rules.mk', program];
  const made = spawnSync('make', make, { cwd: native, encoding: 'utf8' });
  expect(made.stderr).toBe('');
  const run = spawnSync(join(native, program), { encoding: 'utf8' });
  expect(run.stderr).toBe('');
  expect(run.status).toBe(0);
});
