import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { installRoot } from '@teu/config';
import { describe, expect, it } from 'vitest';

/** What vitest's JSON tells of a test. */
interface TestResult {
  fullName: string;
  status: 'passed' | 'failed' | 'skipped';
  failureMessages?: string[];
}

interface Results {
  numPassedTests: number;
  numFailedTests: number;
  testResults: {
    name: string;
    status: 'passed' | 'failed';
    message: string;
    assertionResults: TestResult[];
  }[];
}

const tool = pathToFileURL(join(installRoot(), 'tools/test-results.mjs')).href;
const { countTests, describeFailures } = (await import(tool)) as {
  countTests: (
    results?: Results,
    status?: number,
  ) => { passed: number; failed: number; skipped: string[] };
  describeFailures: (results: Results | undefined, root: string) => string[];
};

const passed: TestResult = { fullName: 'a good one', status: 'passed' };
const skipped: TestResult = { fullName: 'a skipped one', status: 'skipped' };
const failed: TestResult = {
  fullName: 'a bad one',
  status: 'failed',
  failureMessages: ['expected \u001b[31m1\u001b[39m to be 2'],
};

/** Results of one file, as vitest sums them up. */
function resultsOf(status: 'passed' | 'failed', message: string, ...tests: TestResult[]): Results {
  const count = (wanted: string): number => tests.filter((test) => test.status === wanted).length;
  return {
    numPassedTests: count('passed'),
    numFailedTests: count('failed'),
    testResults: [{ name: '/root/x.test.ts', status, message, assertionResults: tests }],
  };
}

describe('the results of a run', () => {
  it.each([
    ['passes', resultsOf('passed', '', passed, skipped), 0, [1, 0]],
    ['has a test that fails', resultsOf('failed', '', passed, failed, skipped), 1, [1, 1]],
    ['cannot be imported', resultsOf('failed', 'no such module'), 1, [0, 1]],
    ['has a hook that fails before its tests', resultsOf('failed', '', skipped), 1, [0, 1]],
    ['has a hook that fails after its tests', resultsOf('failed', 'a leak', passed), 1, [1, 1]],
    // The results do not tell of such a hook: the file has failed in either case.
    ['has both such a hook and such a test', resultsOf('failed', '', failed, skipped), 1, [0, 1]],
    ['fails without saying why', resultsOf('passed', '', passed), 1, [1, 1]],
  ])('count right for a file that %s', (_what, results, status, [good, bad]) => {
    expect(countTests(results, status)).toMatchObject({ passed: good, failed: bad });
  });

  it('count one failure for a run that has written nothing, and none for one that was not made', () => {
    expect(countTests(undefined, 1)).toEqual({ passed: 0, failed: 1, skipped: [] });
    expect(countTests()).toEqual({ passed: 0, failed: 0, skipped: [] });
  });

  it('name what was skipped', () => {
    expect(countTests(resultsOf('passed', '', skipped)).skipped).toEqual(['a skipped one']);
  });

  it('say what failed and why, without colours', () => {
    expect(describeFailures(resultsOf('failed', '', passed, failed), '/root/')).toEqual([
      'failed: x.test.ts > a bad one\n    expected 1 to be 2',
    ]);
    expect(describeFailures(resultsOf('failed', 'a leak', passed), '/root/')).toEqual([
      'failed: x.test.ts\n    a leak',
    ]);
    expect(describeFailures(resultsOf('failed', '', skipped), '/root/')).toEqual([
      'failed: x.test.ts\n    a hook of a group of its tests; why is in the log above',
    ]);
    const late = { ...failed, failureMessages: ['Error: STACK_TRACE_ERROR\n    at task'] };
    expect(describeFailures(resultsOf('failed', '', late), '/root/')).toEqual([
      'failed: x.test.ts > a bad one\n    Error: the test ran out of time\n        at task',
    ]);
  });
});
