// What vitest's results as JSON come to.

const NO_TESTS = { numPassedTests: 0, numFailedTests: 0, testResults: [] };

/**
 * Counts a run of vitest. A file that cannot be run is one failure, and so is a run that failed without saying why.
 * @param {object} [results] what vitest wrote, if it did
 * @param {number} [status] how it ended
 * @returns {{ passed: number, failed: number, skipped: string[] }} skipped are names
 */
export function countTests(results = NO_TESTS, status = 0) {
  const brokenFiles = results.testResults.filter(
    (file) =>
      file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed'),
  ).length;
  const skipped = results.testResults.flatMap((file) =>
    file.assertionResults.filter((test) => test.status === 'pending' || test.status === 'skipped'),
  );
  const failed = results.numFailedTests + brokenFiles;
  return {
    passed: results.numPassedTests,
    failed: failed === 0 && status !== 0 ? 1 : failed,
    skipped: skipped.map((test) => test.fullName),
  };
}

/** Escape sequences of a terminal: CSI, parameters, and the final letter (ECMA-48, section 5.4). */
const COLOUR = new RegExp(`${String.fromCodePoint(27)}\\[[0-9;]*m`, 'gu');
const LINES_OF_A_FAILURE = 25;
/** What vitest's JSON has instead of the message that a test ran out of time. */
const OUT_OF_TIME = /^(?:Error: )?STACK_TRACE_ERROR$/mu;
/** Vitest writes errors of files and of their own hooks, but not of hooks within `describe`. */
const UNTOLD = 'a hook of a group of its tests; why is in the log above';

/** The beginning of an error, without colours: its message and the nearest frames of its stack. */
const beginningOf = (messages) =>
  messages
    .join('\n')
    .replaceAll(COLOUR, '')
    .replace(OUT_OF_TIME, 'Error: the test ran out of time')
    .split('\n')
    .slice(0, LINES_OF_A_FAILURE)
    .map((line) => `    ${line}`)
    .join('\n');

/**
 * What failed and why, in a form that fits at the end of a long log, where a reader looks first.
 * @param {object} [results] what vitest wrote, if it did
 * @param {string} root what is cut off the names of files
 * @returns {string[]} one text for each failed test, and for each file whose hooks or imports failed
 */
export function describeFailures(results = NO_TESTS, root = '') {
  return results.testResults.flatMap((file) => {
    const name = file.name.replace(root, '');
    const tests = file.assertionResults.filter((test) => test.status === 'failed');
    if (tests.length === 0 && file.status === 'failed') {
      return [`failed: ${name}\n${beginningOf([file.message || UNTOLD])}`];
    }
    return tests.map(
      (test) => `failed: ${name} > ${test.fullName}\n${beginningOf(test.failureMessages ?? [])}`,
    );
  });
}
