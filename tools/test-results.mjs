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
