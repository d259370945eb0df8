// `npm test`: sets everything up, runs the checks and all tests. Arguments go to vitest and then only
// the tests they name are run: npm test -- services/engine
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const filters = process.argv.slice(2);
const resultsFile = `${root}dist/test-results.json`;

const run = (program, args, environment = process.env) =>
  spawnSync(program, args, { cwd: root, stdio: 'inherit', env: environment }).status ?? 1;

const readJson = (file, fallback) =>
  existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : fallback;

if (run(process.execPath, ['tools/setup.mjs']) !== 0) process.exit(1);
mkdirSync(`${root}dist`, { recursive: true });
rmSync(resultsFile, { force: true });
rmSync(`${root}dist/check-results.json`, { force: true });

const environment = { ...process.env, PATH: `${root}node_modules/.bin:${process.env.PATH ?? ''}` };
// Node 24 loads these certificates at every start of a process; no test needs them.
delete environment.NODE_EXTRA_CA_CERTS;

let checkStatus = 0;
if (filters.length === 0) {
  process.stdout.write('checks: formatting, types, lint, boundaries, contracts, house rules\n');
  checkStatus = run(`${root}node_modules/.bin/node`, ['tools/check.mjs'], environment);
}

process.stdout.write('tests\n');
const testStatus = run(
  `${root}node_modules/.bin/node`,
  [
    'node_modules/vitest/vitest.mjs',
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${resultsFile}`,
    ...filters,
  ],
  environment,
);

const results = readJson(resultsFile, { numPassedTests: 0, numFailedTests: 1, testResults: [] });
const checks = readJson(`${root}dist/check-results.json`, []);
const brokenFiles = results.testResults.filter(
  (file) =>
    file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed'),
).length;
const skipped = results.testResults.flatMap((file) =>
  file.assertionResults.filter((test) => test.status === 'pending' || test.status === 'skipped'),
);
for (const test of skipped) process.stdout.write(`skipped: ${test.fullName}\n`);

const passedCount = results.numPassedTests + checks.filter((check) => check.passed).length;
let failedCount =
  results.numFailedTests + brokenFiles + checks.filter((check) => !check.passed).length;
if (failedCount === 0 && (testStatus !== 0 || checkStatus !== 0)) failedCount = 1;
const line = `${passedCount} passed, ${failedCount} failed, ${skipped.length} skipped`;
writeFileSync(`${root}dist/test-summary.txt`, `${line}\n`);
process.stdout.write(`${line}\n`);
process.exit(failedCount === 0 && passedCount > 0 ? 0 : 1);
