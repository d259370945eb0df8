import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const native = fileURLToPath(new URL('../../', import.meta.url));

it('what teu-cgroup-watch reads holds against hostile text', { timeout: 240_000 }, () => {
  const program = 'dist/asan/watch-tests';
  const make = ['make', '-s', '-j2', '-f', 'src/watch/rules.mk', program];
  const made = spawnSync('flock', ['src/watch/rules.mk', ...make], {
    cwd: native,
    encoding: 'utf8',
  });
  expect(made.stderr).toBe('');
  const run = spawnSync(join(native, program), { encoding: 'utf8' });
  expect(run.stderr).toBe('');
  expect(run.status).toBe(0);
});
