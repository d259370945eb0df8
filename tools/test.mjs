// `npm test`: sets everything up, runs the checks and all tests. Arguments go to vitest and then only
// the tests they name are run: npm test -- services/engine
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { labTests } from './lab-tests.mjs';
import { isEnding, runProgram } from './run-program.mjs';
import { countTests, describeFailures } from './test-results.mjs';

/**
 * Files that run while the lab does, one after the other: they take long, wait for disks or a compiler, and measure nothing. The
 * machine of the lab keeps little more than one processor busy, for about as long as these and the checks take.
 */
const BESIDE_THE_LAB = [
  'test/e2e/base-upgrade.root.test.ts',
  'native/test/layer/layer-forms.root.test.ts',
];

const root = fileURLToPath(new URL('..', import.meta.url));
const node = `${root}node_modules/.bin/node`;
const filters = process.argv.slice(2);
const dist = (name) => `${root}dist/${name}`;
const results = {
  host: dist('test-results.json'),
  besideLab: dist('test-results-beside-lab.json'),
  lab: dist('lab-results.json'),
  checks: dist('check-results.json'),
};
const labOutput = dist('lab-output.txt');
const failureLogs = dist('failure-logs.txt');
/** What is shown of it at the end. */
const FAILURE_LOG_CHARACTERS = 16_000;
const environment = {
  ...process.env,
  PATH: `${root}node_modules/.bin:${process.env.PATH ?? ''}`,
  TEU_TEST_FAILURE_LOGS: failureLogs,
};
// Node 24 loads these certificates at every start of a process; no test needs them.
delete environment.NODE_EXTRA_CA_CERTS;

const say = (text) => process.stdout.write(`${text}\n`);
const readJson = (file, fallback) =>
  existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : fallback;
const run = (program, args, options = {}) =>
  isEnding() ? 1 : runProgram(program, args, { cwd: root, env: environment, ...options });

const runVitest = (resultsFile, ...words) =>
  run(node, [
    ...['node_modules/vitest/vitest.mjs', 'run', '--reporter=default', '--reporter=json'],
    ...[`--outputFile.json=${resultsFile}`, ...words],
  ]);

async function runLab(files, options) {
  if (files.length === 0) return 0;
  const words = ['--time-limit', '1800', '--results', results.lab, '--test', ...files];
  return run(process.execPath, ['tools/lab.mjs', ...words], options);
}

/** @returns {Promise<number>} exit status of the checks */
async function runChecks() {
  say('checks: formatting, types, lint, boundaries, contracts, house rules');
  return run(node, ['tools/check.mjs']);
}

/** The lab has one processor, the checks and what measures nothing the other; then the rest has both. */
async function runEverything(filesForLab) {
  say(`tests in the kernel lab, beside others; what it says is in ${labOutput}`);
  const inLab = runLab(filesForLab, { outputFile: labOutput });
  const checks = await runChecks();
  say('tests, beside the lab');
  const besideLab = await runVitest(results.besideLab, '--maxWorkers=1', ...BESIDE_THE_LAB);
  const lab = await inLab;
  if (existsSync(labOutput)) say(`the kernel lab\n${readFileSync(labOutput, 'utf8')}`);
  say('tests');
  const host = await runVitest(
    results.host,
    ...BESIDE_THE_LAB.flatMap((file) => ['--exclude', file]),
  );
  return { checks, besideLab, host, lab };
}

async function runSome(filesForLab) {
  say('tests');
  // Where only tests of the lab are named there are none for this host.
  const words = filesForLab.length > 0 ? ['--passWithNoTests'] : [];
  const host = await runVitest(results.host, ...words, ...filters);
  if (filesForLab.length > 0) say('tests in the kernel lab');
  return { checks: 0, besideLab: 0, host, lab: await runLab(filesForLab) };
}

/** Counts, says what failed, and writes the line that closes a run. */
function summarize(status, filesForLab) {
  const checks = readJson(results.checks, []);
  const passedChecks = checks.filter((check) => check.passed).length;
  const runs = ['besideLab', 'host', ...(filesForLab.length > 0 ? ['lab'] : [])].map((name) => ({
    found: readJson(results[name], undefined),
    status: status[name],
  }));
  if (existsSync(failureLogs)) {
    const logs = readFileSync(failureLogs, 'utf8').slice(-FAILURE_LOG_CHARACTERS);
    say(`the end of the logs of what failed, all in ${failureLogs}:\n${logs}`);
  }
  for (const failure of runs.flatMap(({ found }) => describeFailures(found, root))) say(failure);
  for (const check of checks.filter(({ passed }) => !passed)) say(`failed: check ${check.name}`);
  const counts = runs.map(({ found, status: ended }) => countTests(found, ended));
  const skipped = counts.flatMap((count) => count.skipped);
  for (const name of skipped) say(`skipped: ${name}`);
  const sum = (of) => counts.reduce((total, count) => total + of(count), 0);
  const passed = sum((count) => count.passed) + passedChecks;
  const failedChecks = checks.length - passedChecks;
  let failed = sum((count) => count.failed) + failedChecks;
  if (failed === 0 && status.checks !== 0) failed = 1;
  const line = `${passed} passed, ${failed} failed, ${skipped.length} skipped`;
  writeFileSync(dist('test-summary.txt'), `${line}\n`);
  say(line);
  return failed === 0 && passed > 0 ? 0 : 1;
}

// The set-up asks registries, which may need the certificates.
const setUp = await runProgram(process.execPath, ['tools/setup.mjs'], { cwd: root });
if (setUp !== 0) process.exit(1);
mkdirSync(`${root}dist`, { recursive: true });
for (const file of [...Object.values(results), labOutput, failureLogs])
  rmSync(file, { force: true });

const filesForLab = labTests(root, filters);
const status = await (filters.length === 0 ? runEverything : runSome)(filesForLab);
const exitCode = summarize(status, filesForLab);
process.exit(isEnding() ? process.exitCode : exitCode);
