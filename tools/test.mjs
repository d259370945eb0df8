// `npm test`: sets everything up, runs the checks and all tests. Arguments go to vitest and then only
// the tests they name are run: npm test -- services/engine
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { labTests } from './lab-tests.mjs';
import { countTests, describeFailures } from './test-results.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const filters = process.argv.slice(2);
const resultsFile = `${root}dist/test-results.json`;
const labResultsFile = `${root}dist/lab-results.json`;

const run = (program, args, environment = process.env) =>
  spawnSync(program, args, { cwd: root, stdio: 'inherit', env: environment }).status ?? 1;

const readJson = (file, fallback) =>
  existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : fallback;

if (run(process.execPath, ['tools/setup.mjs']) !== 0) process.exit(1);
mkdirSync(`${root}dist`, { recursive: true });
rmSync(resultsFile, { force: true });
rmSync(labResultsFile, { force: true });
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
const filesForLab = labTests(root, filters);
const testStatus = run(
  `${root}node_modules/.bin/node`,
  [
    'node_modules/vitest/vitest.mjs',
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${resultsFile}`,
    // Where only tests of the lab are named there are none for this host.
    ...(filters.length > 0 && filesForLab.length > 0 ? ['--passWithNoTests'] : []),
    ...filters,
  ],
  environment,
);

let labStatus = 0;
if (filesForLab.length > 0) {
  process.stdout.write('tests in the kernel lab\n');
  labStatus = run(
    process.execPath,
    [
      'tools/lab.mjs',
      '--time-limit',
      '1800',
      '--results',
      labResultsFile,
      '--test',
      ...filesForLab,
    ],
    environment,
  );
}

const checks = readJson(`${root}dist/check-results.json`, []);
const passedChecks = checks.filter((check) => check.passed).length;
const hostResults = readJson(resultsFile, undefined);
const labResults = readJson(labResultsFile, undefined);
const onHost = countTests(hostResults, testStatus);
const inLab = filesForLab.length === 0 ? countTests() : countTests(labResults, labStatus);
for (const failure of [hostResults, labResults].flatMap((of) => describeFailures(of, root))) {
  process.stdout.write(`${failure}\n`);
}
for (const check of checks.filter(({ passed }) => !passed)) {
  process.stdout.write(`failed: check ${check.name}\n`);
}
const skipped = [...onHost.skipped, ...inLab.skipped];
for (const name of skipped) process.stdout.write(`skipped: ${name}\n`);

const passedCount = onHost.passed + inLab.passed + passedChecks;
let failedCount = onHost.failed + inLab.failed + checks.length - passedChecks;
if (failedCount === 0 && checkStatus !== 0) failedCount = 1;
const line = `${passedCount} passed, ${failedCount} failed, ${skipped.length} skipped`;
writeFileSync(`${root}dist/test-summary.txt`, `${line}\n`);
process.stdout.write(`${line}\n`);
process.exit(failedCount === 0 && passedCount > 0 ? 0 : 1);
