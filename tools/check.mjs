// Runs every check that needs no container: formatting, lint, boundaries, types, contracts, house
// rules. Usage: npm run check [-- NAME ...], for example: npm run check -- types lint
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const environment = {
  ...process.env,
  PATH: `${root}node_modules/.bin:${process.env.PATH ?? ''}`,
  NX_DAEMON: 'false',
};
delete environment.NODE_EXTRA_CA_CERTS;

// The boundary rule of nx passes silently without a cached project graph, so the graph comes first.
const checks = [
  ['graph', ['nx', 'graph', '--file=dist/project-graph.json']],
  ['format', ['prettier', '--check', '--log-level', 'warn', '.']],
  ['format-native', ['node', 'tools/clang-format.mjs', '--check']],
  ['types', ['tsc', '-p', 'tsconfig.json']],
  ['lint', ['eslint', '--max-warnings', '0', '.']],
  ['proto-lint', ['buf', 'lint', 'proto']],
  [
    'proto-breaking',
    [
      'buf',
      'breaking',
      '.',
      '--against',
      'baseline/api.binpb',
      '--path',
      'teu',
      '--path',
      'containerd',
    ],
    'proto',
  ],
  ['tidy', ['vitest', 'run', 'test/tidy', 'test/boundaries', '--reporter=dot']],
];

const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));
const unknown = wanted.filter((name) => !checks.some(([known]) => known === name));
if (unknown.length > 0) {
  process.stderr.write(
    `unknown check ${unknown.join(', ')}; there are ${checks.map(([name]) => name).join(', ')}\n`,
  );
  process.exit(2);
}

if (!existsSync(`${root}node_modules`)) {
  process.stderr.write('run `npm run setup` first\n');
  process.exit(1);
}
mkdirSync(`${root}dist`, { recursive: true });

const results = [];
for (const [name, [program, ...args], directory = ''] of checks) {
  if (wanted.length > 0 && name !== 'graph' && !wanted.includes(name)) continue;
  const begin = performance.now();
  const result = spawnSync(program, args, {
    cwd: join(root, directory),
    env: environment,
    encoding: 'utf8',
  });
  const seconds = ((performance.now() - begin) / 1000).toFixed(1);
  const passed = result.status === 0;
  results.push({ name, passed });
  process.stdout.write(`${passed ? 'ok  ' : 'FAIL'} ${name} (${seconds} s)\n`);
  if (!passed) process.stdout.write(`${result.stdout ?? ''}${result.stderr ?? ''}\n`);
}
writeFileSync(`${root}dist/check-results.json`, JSON.stringify(results));
const failed = results.filter((result) => !result.passed);
process.stdout.write(`${results.length - failed.length} of ${results.length} checks passed\n`);
process.exit(failed.length === 0 ? 0 : 1);
