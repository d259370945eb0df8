import process from 'node:process';

/**
 * Stretches a time limit of a test: by TEU_TEST_PATIENCE, which whoever runs tests on a slow machine sets. A
 * limit is an end for what hangs and no measure, so the factor may be generous.
 */
export function patient(milliseconds: number): number {
  return milliseconds * Number(process.env['TEU_TEST_PATIENCE'] ?? 1);
}
