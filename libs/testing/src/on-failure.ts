import { appendFileSync } from 'node:fs';
import process from 'node:process';
import { onTestFailed } from 'vitest';

/** What was asked for outside of a test, as in beforeAll: it belongs to every test of the file. */
const forAll = new Map<string, () => string>();

/** Prints a log if the test fails that runs now; outside of a test (in beforeAll) if any test of the file does. */
export function onFailure(title: string, text: () => string): void {
  try {
    onTestFailed(() => print(title, text));
  } catch {
    forAll.set(title, text);
  }
}

/** Prints the logs that belong to all tests of the file. */
export function printLogsForAll(): void {
  for (const [title, text] of forAll) print(title, text);
}

/** Whoever runs the tests may want to show it again at the end: it is then also in the file TEU_TEST_FAILURE_LOGS. */
function print(title: string, text: () => string): void {
  const block = `--- ${title}\n${text()}\n---\n`;
  process.stderr.write(block);
  const file = process.env['TEU_TEST_FAILURE_LOGS'] ?? '';
  if (file !== '') appendFileSync(file, block);
}
