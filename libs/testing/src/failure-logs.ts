// Loaded by vitest before each file of tests.
import { afterEach } from 'vitest';
import { printLogsForAll } from './on-failure.js';

afterEach(({ task }) => {
  if (task.result?.state === 'fail') printLogsForAll();
});
