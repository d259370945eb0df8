// Which tests run in the lab.
import { spawnSync } from 'node:child_process';

/** Tests that run only there, relative to the root: those whose path holds one of the filters. */
export function labTests(root, filters) {
  const { stdout } = spawnSync(
    'git',
    ['ls-files', '--cached', '--others', '--exclude-standard', '*.lab.test.ts'],
    { cwd: root, encoding: 'utf8' },
  );
  const files = stdout.split('\n').filter(Boolean).sort();
  if (filters.length === 0) return files;
  return files.filter((file) => filters.some((filter) => file.includes(filter)));
}
