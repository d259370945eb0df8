// Checks or writes the format of all C++ sources. Usage: node tools/clang-format.mjs --check|--write
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const write = process.argv.includes('--write');
const listed = spawnSync(
  'git',
  [
    'ls-files',
    '--cached',
    '--others',
    '--exclude-standard',
    '--',
    'native/*.cc',
    'native/*.h',
    'native/*.cpp',
  ],
  { cwd: root, encoding: 'utf8' },
);
const files = listed.stdout.split('\n').filter(Boolean);
if (files.length === 0) process.exit(0);
const result = spawnSync(
  'clang-format',
  [...(write ? ['-i'] : ['--dry-run', '--Werror']), ...files],
  {
    cwd: root,
    stdio: 'inherit',
  },
);
if (result.error)
  process.stderr.write(`clang-format: ${result.error.message}; run \`npm run setup\`\n`);
process.exit(result.status ?? 1);
