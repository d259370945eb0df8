import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from '@teu/testing';
import { expect, test } from 'vitest';
import { failureReason } from './failure-reason.js';

test('a service that does not start is quoted: the first line of its last words', () => {
  const directory = tempDir();
  const log = join(directory.path, 'x.log');
  const line = (level: string, err: string) => `${JSON.stringify({ level, err })}\n`;
  writeFileSync(
    log,
    line('fatal', 'Error: older') +
      line('fatal', 'TeuError: the state is in use (reason=STORAGE_FAILED)\n    at somewhere') +
      'not JSON\n',
  );
  expect(failureReason(log)).toBe('the state is in use');
  writeFileSync(log, line('fatal', 'Error: of another time') + line('info', ''));
  expect(failureReason(log)).toBeUndefined();
  writeFileSync(log, 'cgroup: TeuError: --x: is not known (reason=INVALID_ARGUMENT)\n    at a\n');
  expect(failureReason(log)).toBe('--x: is not known');
  expect(failureReason(join(directory.path, 'nosuch'))).toBeUndefined();
  directory.remove();
});
