import process from 'node:process';
import { onTestFailed } from 'vitest';

/**
 * Prints a log if the test fails that runs now. Outside of a test (in beforeAll) vitest has nothing
 * to hang this on, and nothing is printed.
 */
export function onFailure(title: string, text: () => string): void {
  try {
    onTestFailed(() => void process.stderr.write(`--- ${title}\n${text()}\n---\n`));
  } catch {
    // Not in a test.
  }
}
